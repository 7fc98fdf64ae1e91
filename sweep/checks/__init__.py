"""What a long run needs of a machine and of all machines together, each a check that says what it found.

May import `sweep.tracking` and what that may import.
"""

"""Points and shared training on a Ray cluster. Ray's door.

May import `sweep.trials`, `sweep.tracking` and what they may import.
"""

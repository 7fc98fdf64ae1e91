"""What a sweep leaves: its folder, the table of points, the front, intervals, exported models.

May import `sweep.stages`.
"""

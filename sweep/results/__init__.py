"""What a sweep leaves: its folder, the table of points, the front, figures, the page, exported models.

May import `sweep.stages`.
"""

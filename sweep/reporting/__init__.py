"""What people look at after a sweep: the page, figures for papers, and the data behind each.

May import `sweep.results`. `page.py` alone imports plotly.
"""

"""One training stage: the loop, what it minimizes, its optimizer and its checkpoints; no knowledge of a sweep.

May import `sweep.config` and `sweep.errors`, `models` and `datagen`.
"""

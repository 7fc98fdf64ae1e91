"""A sweep in virtual time: the real search, early stopping and stage tree; a formula in place of training.

May import `sweep.trials` and what it may import.
"""

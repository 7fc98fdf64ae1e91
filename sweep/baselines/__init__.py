"""Baselines on a data set: which settings are worth reading, what was read in them, their envelope."""

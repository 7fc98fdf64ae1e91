"""One point: trained where that is still to be done, written as real files, read back.

May import `sweep.search`, `sweep.results` and `sweep.stages`.
"""

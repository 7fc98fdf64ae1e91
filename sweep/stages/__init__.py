"""The stage tree: what is to be trained, with a key for each node, and the store that keeps what is trained.

May import `sweep.training`.
"""

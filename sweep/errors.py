"""What can go wrong in a sweep; every message names the value, the reason and the next step."""


class SweepError(Exception):
    """A sweep that cannot run as asked."""


class Interrupted(Exception):
    """Training that was asked to save its state and end."""


class DivergedError(Exception):
    """A training stage whose loss is no longer finite; it ends its point, never the sweep."""

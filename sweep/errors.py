"""What can go wrong in a sweep; every message names the value, the reason and the next step."""

from rich.console import Console
from rich.markup import escape


class SweepError(Exception):
    """A sweep that cannot run as asked."""


class Interrupted(Exception):
    """Training that was asked to save its state and end."""


class DivergedError(Exception):
    """A training stage whose loss is no longer finite; it ends its point, never the sweep."""


def complain(error: Exception) -> int:
    """Tells the user of a command in a line, and returns the command's exit code."""
    Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
    return 2

"""How every command of this package shows its options and its errors."""

import tyro
from rich.console import Console
from rich.markup import escape

STYLE = (tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone)
"""How tyro shows options."""


def complain(error: Exception) -> int:
    """Tells the user of a command in a line, and returns the command's exit code."""
    Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
    return 2

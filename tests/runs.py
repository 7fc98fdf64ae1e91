"""Runs as the command line opens them."""

from sweep.arguments import Arguments
from sweep.results.folder import RunFolder
from sweep.run import open_run


def opened(**given) -> RunFolder:
    """A new or resumed run, of these arguments, written as a sweep does that begins with it."""
    run = open_run(Arguments(**given))
    with run.claimed():
        run.save()
    return run

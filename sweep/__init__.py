"""Sweeps the weights of rate and OCR loss and traces the rate-accuracy front.

The commands, a sweep (`launch`) and its phases (`phases`). The rooms, from the ground up: training, stages, results,
search, tracking, trials, cluster and simulation; each may import those before it. From Python, `load_run` opens what a
sweep leaves.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.results.loaded import Run


def load_run(folder: str | Path) -> "Run":
    """Points, readings, front, codecs and images of a run's folder.

    Raises:
        SweepError: the folder holds no run.
    """
    # Whoever imports a room of this package is to wait for nothing else.
    from sweep.results import loaded

    return loaded.load(Path(folder))

"""Waits, as a sweep does, until it is asked to end: python wait_for_signals.py RUN [ray]"""

import sys
import time
from contextlib import nullcontext
from pathlib import Path

from datagen import generate
from sweep import graceful_stop

folder = Path(sys.argv[1])


def say(line: str) -> None:
    print(line, flush=True)


def still_here() -> bool:
    """Whether Ray, if it runs, still answers."""
    return sys.argv[2:] != ["ray"] or bool(generate.ray.cluster_resources())


with generate.ray_session(1) if sys.argv[2:] == ["ray"] else nullcontext():
    try:
        with graceful_stop.on_signals(folder, say):
            say("started")
            while not graceful_stop.stop_file(folder).exists():
                time.sleep(0.05)
            # A terminal that is gone ends all that heeds it within a moment.
            time.sleep(1)
            assert still_here()
            say("saving")
            (folder / "saved").touch()
    except KeyboardInterrupt:
        say("interrupted")
        (folder / "interrupted").touch()

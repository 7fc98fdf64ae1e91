"""What Ray says when it ends a worker that takes too much memory, as a sentence that names what to lower."""

import re

TAKEN = re.compile(r"actual memory used=([\d.]+)GB")
MACHINE = re.compile(r"([\d.]+)GB used / ([\d.]+)GB limit")
"""In what Ray's memory monitor says when it ends workers: what one took, and what of its machine's memory was taken."""


def reason(said: str) -> str | None:
    """Why Ray's memory monitor ended a worker, and what to lower, by the text of an error; None where it ended none."""
    taken, machine = TAKEN.findall(said), MACHINE.findall(said)
    if not (taken and machine):
        return None
    used, limit = machine[-1]
    return (
        f"a worker that took {max(map(float, taken)):.2f} GiB was ended again and again, "
        f"for {used} of {limit} GiB of its machine's memory were taken; close other programs, let fewer work at a time "
        "(ray start --head --num-cpus N, then RAY_ADDRESS=auto), or start another --out with a smaller batch_size "
        "(sweep/presets.py)"
    )

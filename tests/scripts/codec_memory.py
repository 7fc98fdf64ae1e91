"""Prints by how many bytes compressing, then decompressing, 768x768 pixels raises a process's peak, at most in some
rounds.

python codec_memory.py CODEC
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from models.codecs import registry as codecs
from models.files import tfic
from models.files.model import TrainedCodec

ROUNDS = 5


def peak(work: Callable[[], object]) -> int:
    # Of what the allocator still holds of an earlier round, nobody would see that it is used again.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = psutil.Process().memory_info().rss
    work()
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1]) - before


codec = codecs.build(sys.argv[1]).eval()
codec.update_tables()
model = TrainedCodec(codec, sys.argv[1], "", {})
small, large = (np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8) for side in (64, 768))
tfic.decode(model, tfic.encode(model, small))
file = tfic.encode(model, large)
for work in (lambda: tfic.encode(model, large), lambda: tfic.decode(model, file)):
    print(max(peak(work) for _ in range(ROUNDS)))

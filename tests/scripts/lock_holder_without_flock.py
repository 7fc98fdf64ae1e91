"""Holds a lock, as on a file system that has none, until standard input ends."""

import sys
from pathlib import Path

from datagen import files

files._locks = lambda folder: False
lock = files.file_lock(Path(sys.argv[1]), timeout=0)
lock.acquire()
print("held", flush=True)
sys.stdin.read()

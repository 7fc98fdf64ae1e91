"""Fills a data set's folder, for as long as standard input lasts."""

import sys
from pathlib import Path

from datagen import shards

with shards.claimed(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()

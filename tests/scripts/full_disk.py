"""Writes a shard that is larger than any file may be in this process, and prints the error."""

import resource
import signal
import sys
from pathlib import Path

from datagen import shards
from datagen.errors import DataError
from datagen.sample import Sample

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    shards.write(Path(sys.argv[1]), [Sample(bytes(50_000), "text", 0)])
except DataError as error:
    print(error)

"""Fetches a data set and prints where it is then: python fetch.py URI CACHE"""

import sys
from pathlib import Path

from datagen import remote

print(remote.fetch(sys.argv[1], Path(sys.argv[2])))

"""Holds a lock file until this process is killed."""

import sys
import time

from filelock import FileLock

with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)

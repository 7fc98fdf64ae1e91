"""Starts or resumes a sweep of eight points: python smoke_sweep.py NAME DATA"""

import sys
from pathlib import Path

from sweep import launch
from sweep.arguments import Arguments
from sweep.run import open_run

name, data = sys.argv[1:]
out = Path("runs") / name
launch.sweep(open_run(Arguments(preset="smoke", budget=6, strategy="shared", out=out, resume=out.exists(), data=data)))

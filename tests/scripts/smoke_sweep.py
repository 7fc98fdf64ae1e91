"""Starts or resumes a sweep of eight points: python smoke_sweep.py NAME DATA"""

import sys
from pathlib import Path

from sweep import launch
from sweep.arguments import Arguments
from sweep.run import open_run

name, data = sys.argv[1:]
out = Path("runs") / name
asked = Arguments(
    preset="smoke", from_scratch=True, budget=6, strategy="shared", out=out, resume=out.exists(), data=data
)
launch.sweep(open_run(asked))

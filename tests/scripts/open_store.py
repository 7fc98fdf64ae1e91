"""Opens MLflow's store in the working directory, at the moment when another process does: python open_store.py SWEEP"""

import sys
import time
from pathlib import Path

from sweep.tracking.mlflow_runs import Runs

Path(sys.argv[1]).touch()
while len(list(Path().glob("sweep-*"))) < 2:
    time.sleep(0.001)
Runs("sqlite:///mlflow.db", sys.argv[1], Path("name"), {})

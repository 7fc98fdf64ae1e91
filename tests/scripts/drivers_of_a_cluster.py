"""Two sweeps that start at once on one cluster of two cores: python drivers_of_a_cluster.py DATA OUT OUT"""

import os
import subprocess
import sys

from ray.cluster_utils import Cluster

data, *outs = sys.argv[1:]
nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
sweep = (sys.executable, "-m", "sweep.run", "--preset", "smoke", "--budget", "2", "--from-scratch", "--data", data)
connected = os.environ | {"RAY_ADDRESS": str(nodes.address)}
drivers = [subprocess.Popen([*sweep, "--out", out], env=connected) for out in outs]
codes = [driver.wait() for driver in drivers]
nodes.shutdown()
sys.exit(max(codes))

"""Checks a cluster of two nodes, one with a GPU as Ray counts: python check_cluster.py OUT"""

import os
import sys
import tempfile
from pathlib import Path

# Other sessions on this machine would join a cluster that they find.
aside = tempfile.TemporaryDirectory(dir="/tmp")
os.environ["RAY_TMPDIR"] = aside.name

from ray.cluster_utils import Cluster  # noqa: E402

from sweep import doctor, run  # noqa: E402
from sweep.cluster import nodes  # noqa: E402

out = Path(sys.argv[1]).absolute()
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
os.environ["RAY_ADDRESS"] = str(cluster.address)
cluster.add_node(num_cpus=1, num_gpus=1)
with nodes.joined(str(cluster.address)), nodes.hands(nodes.alive()) as hands:
    print("answers", hands.do(max, 1, 2).values(), hands.do(int, "two"), hands.do(int, "2"), hands.lost.values())
run._default(lambda line: print("told:", line))
sys.argv = ["doctor", "--out", str(out)]
code = doctor.main()
cluster.shutdown()
sys.exit(code)

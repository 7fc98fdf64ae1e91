"""A sweep against readings on a cluster of two nodes: python two_nodes.py OUT DATA"""

import os
import sys
from pathlib import Path

from ray.cluster_utils import Cluster

from sweep import launch
from sweep.arguments import Arguments
from sweep.run import open_run

out, data = sys.argv[1:]
nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
nodes.add_node(num_cpus=1)
os.environ["RAY_ADDRESS"] = str(nodes.address)
launch.sweep(open_run(Arguments(preset="smoke", budget=2, labels="pseudo", polish_steps=2, out=Path(out), data=data)))
nodes.shutdown()

"""A sweep against readings on a cluster of two nodes, the second of which sees neither the run nor the data:
python two_nodes.py OUT DATA
"""

import os
import sys
from pathlib import Path

import elsewhere
from ray.cluster_utils import Cluster

from datagen import generate
from sweep import launch
from sweep.arguments import Arguments
from sweep.run import open_run

out, data = map(Path, sys.argv[1:])
nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
os.environ["RAY_ADDRESS"] = str(nodes.address)
run = open_run(Arguments(preset="smoke", budget=2, labels="pseudo", polish_steps=2, out=out, data=str(data)))
with generate.ray_session(), elsewhere.node(str(nodes.address), run.path, run.data):
    launch.sweep(run)
nodes.shutdown()

"""Prints how many cores of two machines, of which one has a GPU, take work that needs none.

python machines_with_gpus.py CLUSTER_FILE
"""

import os
import sys
from pathlib import Path

from ray.cluster_utils import Cluster

from datagen import generate, machines

nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
nodes.add_node(num_cpus=3, num_gpus=1)
os.environ["RAY_ADDRESS"] = str(nodes.address)
with generate.ray_session():
    print(sum(machine["CPU"] for machine in machines.machines(False, Path(sys.argv[1]))))
nodes.shutdown()

"""A sweep against readings on a cluster of three nodes: the second sees neither the run nor the data; the third dies
when the base points are measured, while the object store is full, and another takes the place of the third:
python three_nodes.py OUT DATA
"""

import os
import sys
import threading
from pathlib import Path

import elsewhere
import numpy as np
import ray
from ray.cluster_utils import Cluster

from datagen import generate
from sweep import launch
from sweep.arguments import Arguments
from sweep.results.points import PointTable
from sweep.run import open_run

OBJECTS = 80 << 20
"""Bytes of each node's object store; Ray takes no less."""

out, data = map(Path, sys.argv[1:])
nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": OBJECTS})
third = nodes.add_node(num_cpus=1, object_store_memory=OBJECTS)
os.environ["RAY_ADDRESS"] = address = str(nodes.address)
run = open_run(Arguments(preset="smoke", budget=2, labels="pseudo", polish_steps=2, out=out, data=str(data)))
ended = threading.Event()


def disturb() -> None:
    """Waits for the base points, fills the object store, and replaces the third node."""
    while len(PointTable(run.path).of("base", "complete")) < len(run.config.search.lambdas):
        if ended.wait(0.2):
            return
    full = [ray.put(np.zeros(OBJECTS // 4, np.uint8)) for _ in range(5)]
    nodes.remove_node(third, allow_graceful=False)
    with elsewhere.node(address):
        print("the third node was replaced", flush=True)
        ended.wait()
    del full


with generate.ray_session(), elsewhere.node(address, run.path, run.data):
    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    try:
        launch.sweep(run)
    finally:
        ended.set()
        disturbing.join(60)
nodes.shutdown()

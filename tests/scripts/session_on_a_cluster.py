"""Prints how many cores a session has that asks for two where a cluster of one core is running."""

import os

import ray
from ray.cluster_utils import Cluster

from datagen import generate

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
os.environ["RAY_ADDRESS"] = str(cluster.address)
with generate.ray_session(2):
    print(ray.cluster_resources()["CPU"])
cluster.shutdown()

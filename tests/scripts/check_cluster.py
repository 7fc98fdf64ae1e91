"""Checks a cluster of two nodes, which share a folder or do not: python check_cluster.py together|apart OUT"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Other sessions on this machine would join a cluster that they find.
aside = tempfile.TemporaryDirectory(dir="/tmp")
os.environ["RAY_TMPDIR"] = aside.name

import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

from sweep import doctor, run  # noqa: E402
from sweep.cluster import nodes  # noqa: E402

task, out = sys.argv[1], Path(sys.argv[2]).absolute()
out.mkdir(parents=True)
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
os.environ["RAY_ADDRESS"] = str(cluster.address)
apart = None
if task == "together":
    cluster.add_node(num_cpus=1)
    with nodes.joined(str(cluster.address)), nodes.hands(nodes.alive()) as hands:
        print("answers", hands.do(max, 1, 2).values(), hands.do(int, "two"), hands.do(int, "2"), hands.lost.values())
else:
    start = f"ray start --address={cluster.address} --num-cpus=1 --num-gpus=1 --block"
    script = f"mount -t tmpfs none {out} && exec {Path(sys.executable).parent}/{start}"
    apart = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.DEVNULL)
    ray.init(log_to_driver=False)
    while len(ray.nodes()) < 2:
        time.sleep(0.2)
    ray.shutdown()
    run._default(lambda line: print("told:", line))
sys.argv = ["doctor", "--out", str(out)]
code = doctor.main()
if apart is not None:
    apart.terminate()
    apart.wait()
cluster.shutdown()
sys.exit(code)

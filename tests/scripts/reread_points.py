"""Has a point read by the held-out readers that are installed: python reread_points.py DATA RUN"""

import sys
from pathlib import Path

from datagen import generate
from models.recognizers import held_out
from sweep.cluster.pool import Pool
from sweep.presets import smoke
from sweep.results.points import PointTable, Row
from sweep.training.loop import Progress

data_folder, folder = map(Path, sys.argv[1:])
readers = list(held_out.opened(())[0])
table = PointTable(folder)
table.add({"point_id": "u", "kind": "uncompressed", "bpp": 24.0, "accuracy": 0.9, "status": "complete"})


class Listener:
    def progressed(self, identity: Row, progress: Progress) -> None: ...

    def finished(self, row: Row) -> None: ...

    def reread(self, row: Row, accuracies: dict[str, float]) -> None:
        print(row["point_id"], accuracies.keys() == {f"accuracy_{name}" for name in readers}, accuracies)


with generate.ray_session(1):
    Pool(smoke(), folder, data_folder, Listener()).reread(table.frame.to_dicts(), readers)

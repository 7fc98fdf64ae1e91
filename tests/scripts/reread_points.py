"""Has a point read by the held-out readers that are installed: python reread_points.py DATA RUN"""

import sys
from pathlib import Path

from datagen import generate
from models.recognizers import held_out
from sweep.cluster.pool import Pool
from sweep.presets import smoke
from sweep.results.point import Identity, Point, RatePoint
from sweep.training.loop import Progress

data_folder, folder = map(Path, sys.argv[1:])
readers = list(held_out.opened(())[0])
uncompressed = Point(
    identity=Identity("u", "uncompressed"),
    status="complete",
    test=RatePoint(24.0, 0.9, cer=0.1, ocr_ms=9.0, ocr_ms_std=1.0),
)


class Listener:
    def progressed(self, identity: Identity, progress: Progress) -> None: ...

    def finished(self, point: Point) -> None: ...

    def reread(self, point: Point, accuracies: dict[str, float]) -> None:
        print(point.point_id, accuracies.keys() == {*readers}, accuracies)


with generate.ray_session(1):
    Pool(smoke(), folder, data_folder, Listener()).reread([uncompressed], readers)

"""Codecs of a run as models: a point of the front, or the conditioned codec with a dial along the front."""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from datagen import shards
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from models.files.model import Facts, Model, RateDial, Stop, TrainedCodec
from sweep import versions
from sweep.errors import SweepError
from sweep.results.folder import RunFolder
from sweep.results.point import Point
from sweep.stages import strategies, tree
from sweep.stages.nodes import NodeStore
from sweep.stages.store import Store

FACTS = ("point_id", "kind", "lambda", "beta", "bpp", "accuracy", "psnr_db")
STOPS = 11
"""Stops on the path of a dial."""


def trained(run: RunFolder, point: Point) -> TrainedCodec:
    """The codec of a point as a model, with the figures measured of the point.

    Raises:
        SweepError: as `codec`, or another release trained it.
    """
    if reason := foreign(run, "codec"):
        raise SweepError(reason)
    columns = point.columns()
    facts = {name: value for name in FACTS if (value := columns.get(name)) is not None}
    facts["target"] = run.config.target
    network = codec(Store.of(run.path), point)
    return TrainedCodec(network, point.codec, run.config.recognizer_identity, facts, run.config.canvas)


def codec(store: NodeStore, point: Point) -> Codec:
    """The codec of a point of the store's run, in evaluation mode on the CPU.

    Raises:
        SweepError: its checkpoint is lost, or holds the weights of another network.
    """
    found = store.load_plain(point.codec, point.point_id)
    if found is None:
        raise SweepError(
            f"the checkpoint of point {point.point_id} is lost; python -m sweep.run --resume --out {store.run} "
            "makes it again"
        )
    return found


def dial(run: RunFolder, front: pl.DataFrame) -> RateDial:
    """The run's conditioned codec with a dial along the front, its weights in half precision.

    Raises:
        SweepError: the run has none, or none yet, or too few points to lay a path through, or another release trained
            it.
    """
    front = front.filter(kind="tfic")
    if not strategies.of(run.config).conditions:
        raise SweepError(f"{run.path} was run with --strategy {run.config.strategy}, which trains no codec for a dial")
    if reason := foreign(run, "codec", "conditioning"):
        raise SweepError(reason)
    node = tree.as_of(tree.conditioned2(run.config), shards.digest(run.data), run.versions)
    network = Store.of(run.path).load(node)
    if network is None:
        raise SweepError(
            f"{run.path} has no codec after stage 2 yet; python -m sweep.run --resume --out {run.path} trains it"
        )
    assert isinstance(network, ConditionedCodec)
    path = path_along(front)
    rates = front["bpp"].to_list()
    facts: Facts = {"points": len(front), "least_bpp": min(rates), "most_bpp": max(rates), "target": run.config.target}
    return RateDial(network, node.codec, run.config.recognizer_identity, path, facts, run.config.canvas).halved()


def foreign(run: RunFolder, *names: str) -> str | None:
    """Why the weights of a run do not belong to the networks of this code, or None.

    A run from before there were versions is not judged: there the shapes of the weights have to tell.
    """
    if run.versions is None:
        return None
    changed = versions.today(run.config.codec).differences(run.versions) & {*names}
    if not changed:
        return None
    said = " and ".join(sorted(changed))
    return f"{run.path} was started by a release with another {said}; only that one can export or draw its codecs"


def path_along(front: pl.DataFrame) -> tuple[Stop, ...]:
    """Stops at equal distances of log rate on the parabola through the front's (log lambda, log beta).

    Neighbours on a front may lie far apart in the plane where one weight hardly matters; the parabola is smooth.
    """
    if len(front) < 2:
        raise SweepError("a dial needs two points of stage 2 on the front; raise --budget")
    rates = front["bpp"].log().to_numpy()
    at = np.linspace(float(rates.min()), float(rates.max()), STOPS)
    degree = min(2, len(front) - 1)
    logs = [front[name].log().to_numpy() for name in ("lambda", "beta")]
    curves: list[NDArray[np.float64]] = [
        np.polyval(np.polyfit(rates, log, degree), at).clip(log.min(), log.max()) for log in logs
    ]
    return tuple(Stop(*map(float, stop)) for stop in np.exp(curves).T)


def write(model: Model, out: Path) -> None:
    """Writes model.pt.

    Raises:
        SweepError: `out` cannot be written.
    """
    try:
        model.save(out)
    except (OSError, RuntimeError) as error:
        raise SweepError(f"{out} cannot be written ({error}); give another --out") from error

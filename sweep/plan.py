"""What a run still lacks, and what that takes: in images of stage 1, and in seconds as its points tell."""

from dataclasses import replace
from statistics import fmean

from sweep.config import SweepConfig
from sweep.results import points
from sweep.results.folder import RunFolder
from sweep.results.point import Point
from sweep.results.points import PointTable, listed
from sweep.stages import strategies, work
from sweep.stages.store import Store
from sweep.stages.tree import Node
from sweep.trials.target import Target


def targets(run: RunFolder, table: PointTable) -> list[Target]:
    """The points beside the trials, less those that are done and have their checkpoints."""
    wanted = [*(Target("base", weight) for weight in run.config.search.lambdas), Target("uncompressed")]
    return _ahead(wanted, run, table)


def searched(config: SweepConfig, table: PointTable) -> list[Point]:
    """Trials of the search that are done: complete or stopped, and no repetitions from other seeds."""
    return [point for point in table.of("tfic", "complete", "stopped") if point.identity.seed == config.seed]


def repetitions(run: RunFolder, table: PointTable, seed: int) -> list[Target]:
    """The search's front as another seed trains it, less the points that are done."""
    config, origins = run.config, Store.of(run.path).origins
    front = listed(points.chosen(points.complete(table.frame, "tfic").filter(seed=config.seed)))
    trials = [Target.of(point.identity, config, origins(point.point_id)) for point in front]
    return _ahead([replace(trial, seed=seed) for trial in trials], run, table)


def _ahead(wanted: list[Target], run: RunFolder, table: PointTable) -> list[Target]:
    """Those that are not measured, or have lost their checkpoints."""
    done = {point.point_id for point in listed(table.frame.filter(status="complete")) if _is_here(run, point)}
    return [target for target in wanted if target.identity(run.config).point_id not in done]


def lost(run: RunFolder, table: PointTable) -> list[Target]:
    """Trials that are measured but have lost their checkpoints, and can be made again."""
    points = [point for point in table.of("tfic", "complete") if not _is_here(run, point)]
    origins = Store.of(run.path).origins
    found = {point.point_id: Target.of(point.identity, run.config, origins(point.point_id)) for point in points}
    return [target for key, target in found.items() if target.identity(run.config).point_id == key]


def _is_here(run: RunFolder, point: Point) -> bool:
    return point.checkpoint is None or Store.of(run.path).has(point.point_id)


def training(run: RunFolder, targets: list[Target]) -> list[Node]:
    """The training ahead of the trials: what they share, and that of the given points."""
    store = Store.of(run.path)
    shared = strategies.of(run.config).shared_nodes(run.config)
    ends = [target.node(run.config) for target in targets]
    return [node for node in (*shared, *ends) if node and not store.knows(node)]


def trial_seconds(table: PointTable, config: SweepConfig) -> list[float]:
    """Seconds that complete trials took; before there is one, what a trial will take, by the base points so far."""
    if trials := table.of("tfic", "complete"):
        return [(point.train_seconds or 0.0) + _measuring(point, config) for point in trials]
    base = table.of("base", "complete")
    if not base:
        return []
    paces = [(point.train_seconds or 0.0) / done for point in base if (done := _trained(point, config))]
    measuring = fmean(_measuring(point, config) for point in base)
    ahead = work.training(strategies.of(config).trial_nodes(config))
    return [measuring + max(paces, default=0.0) * ahead]


def _trained(point: Point, config: SweepConfig) -> float:
    """Work in a base point's own training."""
    node = Target("base", point.identity.rate_weight).node(config)
    return work.training([node]) if node else 0.0


def _measuring(point: Point, config: SweepConfig) -> float:
    """Seconds in which a point was measured on the validation and the test images."""
    measured = point.measured
    each = sum(taken or 0.0 for taken in (measured.encode_ms, measured.decode_ms, measured.ocr_ms))
    count = config.data.test + min(config.search.val_images, config.data.val)
    return each * count / 1000

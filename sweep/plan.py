"""What a run still lacks, and what that takes: in images of stage 1, and in seconds as its points tell."""

from collections.abc import Iterable
from statistics import fmean

from sweep import classical, stages
from sweep.checkpoints import Store
from sweep.config import StageConfig, SweepConfig
from sweep.folder import RunFolder
from sweep.points import PointTable, Row
from sweep.stages import Node
from sweep.trial import Target

RECOGNIZER_COST = 3.0
"""An image of stage 2 over one of stage 1: the recognizer runs too. Measured on two cores."""
TEST_COST = 5.5
"""Measuring a test image over training on one in stage 1, likewise."""


def targets(run: RunFolder, table: PointTable) -> list[Target]:
    """The points beside the trials, less those that are done and have their checkpoints."""
    wanted = [
        *(Target("base", weight) for weight in run.config.lambdas),
        Target("uncompressed"),
        *(Target("classical", classical=codec) for codec in classical.codecs()),
    ]
    done = {
        row["point_id"] for row in table.frame.filter(status="complete").iter_rows(named=True) if _is_here(run, row)
    }
    return [target for target in wanted if target.identity(run.config)["point_id"] not in done]


def lost(run: RunFolder, table: PointTable) -> list[Target]:
    """Trials that are measured but have lost their checkpoints, and can be made again."""
    rows = [row for row in table.of("tfic", "complete").iter_rows(named=True) if not _is_here(run, row)]
    found = {row["point_id"]: Target.of(row, run.config, Store.of(run.path).origins(row["point_id"])) for row in rows}
    return [target for key, target in found.items() if target.identity(run.config)["point_id"] == key]


def _is_here(run: RunFolder, row: Row) -> bool:
    return row["checkpoint"] is None or Store.of(run.path).has(row["point_id"])


def training(run: RunFolder, targets: list[Target]) -> list[Node]:
    """The training ahead of the trials: what they share, and that of the given points."""
    store = Store.of(run.path)
    ends = [target.node(run.config) for target in targets]
    return [node for node in (*stages.shared(run.config), *ends) if node and not store.knows(node)]


def trial(config: SweepConfig) -> list[Node]:
    """A trial's own training, of one like others."""
    node = stages.stage2(config, config.lambdas[0], config.betas[0])
    return [node.parent, node] if config.strategy == "independent" and node.parent else [node]


def images(steps: int, stage: StageConfig, *, reads: bool) -> float:
    """Work of so many steps of a stage, in images of stage 1."""
    return steps * stage.batch_size * (RECOGNIZER_COST if reads else 1.0)


def work(nodes: Iterable[Node]) -> float:
    """Of training them whole."""
    return sum(images(node.stage.steps, node.stage, reads=node.recognizer is not None) for node in nodes)


def measuring(config: SweepConfig) -> float:
    """Work of measuring a point."""
    return TEST_COST * config.data.test


def trial_seconds(table: PointTable, config: SweepConfig) -> list[float]:
    """What complete trials took; before there is one, what a trial will by the base points that were trained."""
    if len(trials := table.of("tfic", "complete")):
        return [_seconds(row, config) for row in trials.iter_rows(named=True)]
    base = [*table.of("base", "complete").iter_rows(named=True)]
    paces = [row["train_seconds"] / done for row in base if (done := _trained(row, config))]
    measured = [_seconds(row | {"train_seconds": 0.0}, config) for row in base]
    return [fmean(measured) + max(paces, default=0.0) * work(trial(config))] if base else []


def _trained(row: Row, config: SweepConfig) -> float:
    """Work in a base point's own training."""
    node = Target("base", row["lambda"]).node(config)
    return work([node]) if node else 0.0


def _seconds(row: Row, config: SweepConfig) -> float:
    """Of a point, trained and measured on the validation and the test images."""
    each = sum(row[name] or 0.0 for name in ("encode_ms", "decode_ms", "ocr_ms"))
    count = config.data.test + min(config.val_images, config.data.val)
    return (row["train_seconds"] or 0.0) + each * count / 1000

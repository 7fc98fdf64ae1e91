"""What a run still lacks, and what that takes: in images of stage 1, and in seconds as its points tell."""

from statistics import fmean

from sweep.config import SweepConfig
from sweep.results.folder import RunFolder
from sweep.results.points import PointTable, Row
from sweep.stages import strategies, work
from sweep.stages.store import Store
from sweep.stages.tree import Node
from sweep.trials import classical
from sweep.trials.target import Target


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
    shared = strategies.of(run.config).shared_nodes(run.config)
    ends = [target.node(run.config) for target in targets]
    return [node for node in (*shared, *ends) if node and not store.knows(node)]


def trial_seconds(table: PointTable, config: SweepConfig) -> list[float]:
    """Seconds that complete trials took; before there is one, what a trial will take, by the base points so far."""
    if len(trials := table.of("tfic", "complete")):
        return [_seconds(row, config) for row in trials.iter_rows(named=True)]
    base = [*table.of("base", "complete").iter_rows(named=True)]
    if not base:
        return []
    paces = [row["train_seconds"] / done for row in base if (done := _trained(row, config))]
    measuring = fmean(_seconds(row | {"train_seconds": 0.0}, config) for row in base)
    ahead = work.training(strategies.of(config).trial_nodes(config))
    return [measuring + max(paces, default=0.0) * ahead]


def _trained(row: Row, config: SweepConfig) -> float:
    """Work in a base point's own training."""
    node = Target("base", row["lambda"]).node(config)
    return work.training([node]) if node else 0.0


def _seconds(row: Row, config: SweepConfig) -> float:
    """Seconds that a point took, trained and measured on the validation and the test images."""
    each = sum(row[name] or 0.0 for name in ("encode_ms", "decode_ms", "ocr_ms"))
    count = config.data.test + min(config.val_images, config.data.val)
    return (row["train_seconds"] or 0.0) + each * count / 1000

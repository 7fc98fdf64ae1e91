"""What a run still lacks."""

from sweep import classical, stages
from sweep.checkpoints import Store
from sweep.folder import RunFolder
from sweep.points import PointTable, Row
from sweep.stages import Node
from sweep.trial import Target


def targets(run: RunFolder, table: PointTable) -> list[Target]:
    """The points beside the trials, less those that are done and have their checkpoints."""
    wanted = [
        *(Target("base", weight) for weight in run.config.lambdas),
        Target("uncompressed"),
        *(Target("classical", classical=codec) for codec in classical.codecs()),
    ]
    done = {row["point_id"] for row in table.frame.filter(status="complete").iter_rows(named=True) if _is_here(run, row)}
    return [target for target in wanted if target.identity(run.config)["point_id"] not in done]


def lost(run: RunFolder, table: PointTable) -> list[Target]:
    """Trials that are measured but have lost their checkpoints, and can be made again."""
    rows = [row for row in table.of("tfic", "complete").iter_rows(named=True) if not _is_here(run, row)]
    found = {row["point_id"]: Target.of(row, run.config, Store.of(run.path).origins(row["point_id"])) for row in rows}
    return [target for key, target in found.items() if target.identity(run.config)["point_id"] == key]


def _is_here(run: RunFolder, row: Row) -> bool:
    return row["checkpoint"] is None or Store.of(run.path).has(row["point_id"])


def training(run: RunFolder, targets: list[Target], trials: int) -> list[tuple[Node, int]]:
    """The training ahead of a sweep: nodes, and how often each.

    Args:
        targets: the points beside the trials.
        trials: how many.
    """
    config = run.config
    store = Store.of(run.path)
    ends = [target.node(config) for target in targets if target.kind == "base"]
    middle = stages.stage2(config, config.lambdas[0], config.betas[0])
    nodes = [(node, 1) for node in (*stages.shared(config), *ends) if node and not store.knows(node)]
    own = [(middle.parent, trials)] if config.strategy == "independent" and middle.parent else []
    return [*nodes, *own, (middle, trials)]

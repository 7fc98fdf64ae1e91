"""What a run still lacks."""

from sweep import classical, stages
from sweep.checkpoints import Store
from sweep.folder import RunFolder
from sweep.points import PointTable
from sweep.stages import Node
from sweep.trial import Target


def targets(run: RunFolder, table: PointTable) -> list[Target]:
    """The points beside the trials, less those that are done."""
    wanted = [
        *(Target("base", weight) for weight in run.config.lambdas),
        Target("uncompressed"),
        *(Target("classical", classical=codec) for codec in classical.codecs()),
    ]
    done = set(table.frame.filter(status="complete")["point_id"])
    return [target for target in wanted if target.identity(run.config)["point_id"] not in done]


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

"""Training a node of the stage tree, and what it starts from, as far as the store lacks them."""

from collections.abc import Callable

import torch

from datagen import dataset
from datagen.dataset import TextImages
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from models.recognizers.base import FrozenRecognizer
from sweep.stages.nodes import NodeStore
from sweep.stages.tree import Node
from sweep.training.checkpoint import Mishaps
from sweep.training.loop import Progress, train_stage
from sweep.training.objectives import objective_of
from sweep.training.team import ALONE, Team

AnyCodec = Codec | ConditionedCodec


def train_node(
    node: Node,
    store: NodeStore,
    data: TextImages,
    recognizer: FrozenRecognizer,
    device: torch.device,
    report: Callable[[Progress], None] = lambda progress: None,
    team: Team = ALONE,
    watch: Callable[[Progress, AnyCodec], None] = lambda progress, codec: None,
) -> AnyCodec:
    """The node's codec in evaluation mode: loaded from the store, or trained and saved there, ancestors first.

    A conditioned codec that it starts from is loaded, never trained: all workers have trained it together, and one
    alone would take as many times as long. What any member of a team finds trained, none trains.

    Args:
        report: told how training goes, of the node and of its ancestors.
        watch: told how training of the node itself goes, with the codec that is being trained.

    Raises:
        DivergedError: a training loss is not finite.
        Interrupted: training was asked to end; the store has its state.
        WeightsError: as `Node.start`.
        SweepError: the store has lost what others have trained.
    """
    found = store.load(node)
    if team.any(found is not None):
        return (found or store.trained(node)).to(device)
    if node.parent is None:
        codec = node.start().to(device)
    else:
        if node.parent.plane is not None:
            parent = store.trained(node.parent)
        else:
            parent = train_node(node.parent, store, data, recognizer, device, report, team)
        codec = node.adopt(parent).to(device)
    mishaps = Mishaps()
    if node.stage.steps:

        def told(progress: Progress) -> None:
            report(progress)
            watch(progress, codec)

        mishaps = _train(node, codec, store, data, recognizer, told, team)
    if team.rank == 0:
        store.save(node, codec, mishaps)
        store.forget(node.key)
    return codec


def _train(
    node: Node,
    codec: AnyCodec,
    store: NodeStore,
    data: TextImages,
    recognizer: FrozenRecognizer,
    report: Callable[[Progress], None],
    team: Team,
) -> Mishaps:
    reader, among = (recognizer, data.legible) if node.recognizer else (None, None)
    device = next(codec.parameters()).device
    return train_stage(
        codec,
        objective_of(node.stage, node.plane, reader),
        lambda start: dataset.batches(data, node.stage.batch_size, node.seed, start, among, device),
        node.stage,
        seed=node.seed,
        team=team,
        report=report,
        checkpointer=store.checkpointer(node.key),
    )

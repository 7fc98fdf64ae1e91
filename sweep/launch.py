"""A sweep's phases in their order: data, the training that is shared, base points, trials, report."""

import functools
import math
import shlex
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import NamedTuple

from datagen import generate, shards, summary
from datagen.spec import SPLITS
from models.recognizers import held_out
from sweep import graceful_stop, plan
from sweep.cluster import resources, training_data
from sweep.cluster.pool import Pool
from sweep.config import SweepConfig
from sweep.errors import SweepError
from sweep.results import page, points
from sweep.results.folder import RunFolder
from sweep.results.points import PointTable
from sweep.stages import tree
from sweep.stages.store import Store
from sweep.stages.tree import Node
from sweep.tracking import memory
from sweep.tracking.display import Display, clock
from sweep.tracking.recorder import Recorder
from sweep.tracking.tracker import LEAVING_SECONDS, Tracker
from sweep.trials import legibility, rereading, trial
from sweep.trials.target import Target


class Effort(NamedTuple):
    """What a call of `sweep` took."""

    seconds: float
    """Of wall time."""
    train_seconds: float
    """In training, summed over the places of trials: core-seconds where each has one core."""
    memory_bytes: int
    """At the peak, on this machine."""


def sweep(run: RunFolder, seconds: float = math.inf) -> Effort:
    """Brings a run to its budget, whatever of it is done already; then reports. Its config.json is written first.

    No trial starts that would end later than so many seconds from now.

    Raises:
        SweepError: every point failed, or another sweep works in the folder.
        DataError: the data set cannot be made.
        ModelError: the recognizer's weights are missing or changed, or it does not know the texts' characters.
    """
    # Workers load it again; here it fails before anything has started.
    trial.recognizer(run.config.recognizers)
    display = Display(run.config)
    started = time.monotonic()
    with run.claimed(), memory.peak_memory() as peak, display.live(), generate.ray_session():
        run.save()
        table = PointTable(run.path)
        display.phase("opening MLflow")
        tracker = Tracker(run.tracking_uri, run.sweep_id, run.path, _params(run), display.print)
        recorder = Recorder(table, tracker, display)
        display.show(table.frame)
        try:
            display.phase("looking through what is trained")
            Store.of(run.path).set_damaged_aside()
            with resources.watched(resources.CORE, display.print):
                _prepare(run, tracker, display)
            display.phase("reading the training images as they are")
            pool = Pool(run.config, run.path, run.data, recorder, display.advanced, display.print)
            if run.config.gpus_per_trial and not pool.gpus:
                display.print("the cluster has no GPU: everything trains on CPUs")
            with graceful_stop.on_signals(run.path, display.print):
                _measure(run, table, pool, recorder, display, started + seconds)
            _reread(run, table, pool, display)
            _report(run, table, tracker, display)
        except BaseException as error:
            tracker.finish("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            tracker.settle(LEAVING_SECONDS)
            raise
        peak.look()
    effort = Effort(time.monotonic() - started, recorder.train_seconds, peak.bytes)
    _print_summary(run, table, display, effort)
    return effort


def _prepare(run: RunFolder, tracker: Tracker, display: Display) -> None:
    display.phase("rendering images")
    generate.ensure(run.config.data, run.data, display.advanced)
    tables = {split: shards.read(run.data, split, shards.DESCRIPTION) for split in SPLITS}
    tracker.log_dataset(run.data, run.config.data.digest(), tables)
    if run.config.labels == "truth":
        # Training would meet an unknown character minutes later, in a worker.
        _check_texts(tables["train"]["text"].unique().to_list(), run.config, display)
    display.phase("reading the images as they are")
    legible = legibility.ensure(run.data, run.path, run.config.recognizers[0])
    for file in (*summary.files(run.data), legible):
        tracker.log_file(file)


def _check_texts(texts: list[str], config: SweepConfig, display: Display) -> None:
    trial.recognizer(config.recognizers).check(texts)
    alignable = training_data.alignable(texts, config)
    if long := [text for text, fits in zip(texts, alignable, strict=True) if not fits]:
        display.print(
            f"{len(long)} of {len(texts)} texts are too long for {config.recognizers[0].name} in an image of "
            f"{config.data.width}x{config.data.height} pixels and teach nothing, such as {long[0]!r}"
        )


def _measure(
    run: RunFolder, table: PointTable, pool: Pool, recorder: Recorder, display: Display, deadline: float
) -> None:
    targets, lost = plan.targets(run, table), plan.lost(run, table)
    searched = table.of("tfic", "complete", "stopped")
    # What has failed is tried again, once each time that the run is resumed.
    trials = max(0, run.config.budget - len(searched))
    ahead = [*targets, *lost]
    display.expect(plan.training(run, ahead), len(ahead), tree.trial_nodes(run.config), trials)
    shared = tree.shared(run.config)
    _train(run, shared[:1], pool, recorder, display)
    _points(run, targets, "measuring the base codec and what it is compared with", pool, display)
    if not len(table.of("base", "complete")):
        raise SweepError("no stage 1 succeeded, so no trial can start; see the points' reasons above")
    _train(run, shared[1:], pool, recorder, display)
    _points(run, lost, f"making {len(lost)} trials again, which have lost their checkpoints", pool, display)
    display.phase(f"searching lambda and beta, {pool.searching(trials)} at a time", trials)
    took = plan.trial_seconds(table, run.config)
    pool.search(trials, searched.iter_rows(named=True), deadline, took)


def _points(run: RunFolder, targets: list[Target], phase: str, pool: Pool, display: Display) -> None:
    """The points beside those that the search proposes."""
    if not targets:
        return
    with _claimed(run, [node for target in targets if (node := target.node(run.config))], display):
        display.phase(phase, len(targets))
        for wave in tree.waves(targets, lambda target: target.node(run.config)):
            pool.measure(wave)
            graceful_stop.raise_if_stopped(run.path)


def _reread(run: RunFolder, table: PointTable, pool: Pool, display: Display) -> None:
    """The front as those read it that no codec was trained against."""
    readers, reasons = held_out.opened([recognizer_config.name for recognizer_config in run.config.recognizers])
    for name, reason in reasons.items():
        display.print(f"{name} does not read the front: {reason}")
    rows = rereading.unread(table.frame, readers) if readers else []
    if rows:
        display.phase(f"reading the front with {' and '.join(readers)}", len(rows))
        pool.reread(rows, [*readers])


def _train(run: RunFolder, nodes: list[Node], pool: Pool, recorder: Recorder, display: Display) -> None:
    """What all points share, by all workers together."""
    for node in nodes:
        with _claimed(run, [node], display):
            display.phase(f"training one codec for all points: {node.title}", node.stage.steps)
            pool.train(node, functools.partial(recorder.trained, node))


@contextmanager
def _claimed(run: RunFolder, nodes: Iterable[Node], display: Display) -> Iterator[None]:
    """Training that other sweeps beside this one may need as well: one of them does it, the others wait."""

    def wait() -> None:
        display.phase("waiting for another sweep, which trains the same")
        graceful_stop.raise_if_stopped(run.path)

    with Store.of(run.path).claimed((node for node in nodes if node.stage.steps), wait):
        yield
        graceful_stop.raise_if_stopped(run.path)


def _report(run: RunFolder, table: PointTable, tracker: Tracker, display: Display) -> None:
    display.phase("drawing the report")
    page.write(run, trial.recognizer(run.config.recognizers))
    for name in ("front.png", "reconstructions.png", "points.parquet", "front.json"):
        tracker.log_file(run.path / name)
    tracker.finish("FINISHED")
    display.phase("writing to MLflow what it lacks")
    tracker.settle()
    _judge(table, display)


def _judge(table: PointTable, display: Display) -> None:
    """Whether the trials came to something."""
    if not len(table.of("tfic")):
        display.print("no trial would have ended in time; --resume goes on with them")
    elif not len(table.of("tfic", "complete")):
        raise SweepError("every trial of stage 2 failed; see the points' reasons above")


def _params(run: RunFolder) -> points.Row:
    config = run.config
    names = ("strategy", "sampler", "codec", "labels", "lambdas", "betas", "polish_steps", "seed")
    values = {name: getattr(config, name) for name in names}
    values |= {"recognizer": config.recognizer_identity}
    values |= config.constraints
    if config.init is not None:
        values |= {"init": config.init.sha256}
    tree = {"stage1": config.stage1, "stage2": config.stage2}
    values |= {f"{name}_{field}": value for name, stage in tree.items() for field, value in asdict(stage).items()}
    return values | {"preset": run.preset, "data": config.data.digest(), "folder": str(run.path.absolute())}


def _print_summary(run: RunFolder, table: PointTable, display: Display, effort: Effort) -> None:
    display.print(page.summary(table.frame))
    display.print(display.table())
    display.print(
        f"{clock(effort.seconds)} of wall time, {clock(effort.train_seconds)} of training in all, "
        f"{effort.memory_bytes / 2**30:.1f} GiB of memory at the peak"
    )
    display.print(f"report:  {run.path / 'report.html'}")
    server = run.tracking_uri.startswith("http")
    browser = f"mlflow ui --backend-store-uri {shlex.quote(run.tracking_uri)}"
    display.print(f"MLflow:  {run.tracking_uri if server else browser}")
    display.print(f"export:  python -m sweep.pick {run.path} --max-bpp 0.1 --out model.pt")
    if run.config.strategy == "conditional":
        display.print(f"         python -m sweep.pick {run.path} --dial --out dial.pt")

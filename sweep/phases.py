"""A sweep's phases: images, training that all points share, base points, trials, other readers, report."""

import functools
import logging
import math
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

from datagen import dataset, generate, shards, summary
from datagen.spec import SPLITS
from models.recognizers import held_out
from sweep import graceful_stop, plan, time_given
from sweep.cluster import resources, training_data
from sweep.cluster.pool import Pool
from sweep.errors import SweepError
from sweep.reporting import before_after, write
from sweep.results import export, readings
from sweep.results.folder import RunFolder
from sweep.results.point import UNTRAINED
from sweep.results.points import PointTable, listed
from sweep.stages import strategies, tree
from sweep.stages.store import Store
from sweep.stages.tree import Node
from sweep.time_given import Given, Size
from sweep.tracking.display import Display
from sweep.tracking.recorder import Recorder
from sweep.tracking.tracker import LEAVING_SECONDS, Tracker
from sweep.trials import legibility, rereading, trial
from sweep.trials.target import Target

logger = logging.getLogger(__name__)

REPORTED = ("report.html", "front.png", "reconstructions.png", "points.parquet", "readings.parquet", "front.json")
"""What a finished sweep gives MLflow of its folder."""


class Sweep:
    """One sweep in a run's folder that nobody else works in, on the connected Ray cluster."""

    def __init__(self, run: RunFolder, display: Display) -> None:
        """Opens what the sweep writes to: the table of points, MLflow, the display.

        Raises:
            SweepError: points.parquet cannot be read, or MLflow cannot be opened.
        """
        self._run, self._config, self._display = run, run.config, display
        self._store = Store.of(run.path)
        self._table = PointTable(run.path)
        display.phase("opening MLflow")
        self._tracker = Tracker(run.tracking_uri, run.sweep_id, run.path, run.parameters(), display.print)
        self._recorder = Recorder(self._table, self._tracker, display)
        self.summary = ""
        """The run in a few sentences, once it is reported."""
        display.show(self._table.frame)

    @property
    def train_seconds(self) -> float:
        """Time in training so far, summed over the places of trials."""
        return self._recorder.train_seconds

    @property
    def page(self) -> str:
        """What follows the address of MLflow's page where the sweep is shown."""
        return self._tracker.page

    def complete(self, given: Given) -> RunFolder:
        """Goes through all phases; returns the run as it is then, its steps and trials sized to the time given.

        Raises:
            KeyboardInterrupt: it was asked to end; what was done is saved.
            SweepError, DataError, ModelError: as `sweep`.
        """
        try:
            self._display.phase("looking through what is trained")
            self._store.set_damaged_aside()
            with resources.watched(resources.CORE, self._display.print):
                self._prepare_images()
            pool = self._pool()
            with graceful_stop.on_signals(self._run.path, self._display.print):
                self._measure(pool, self._settled(pool, given))
            self._read_by_others(pool)
            self._report()
            return self._run
        except BaseException as error:
            self._tracker.finish("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            self._recorder.settle(LEAVING_SECONDS)
            raise

    def _prepare_images(self) -> None:
        run, config = self._run, self._config
        self._display.phase("rendering images")
        generate.ensure(config.data, run.data, self._display.advanced)
        tables = {split: shards.read(run.data, split, shards.DESCRIPTION) for split in SPLITS}
        self._tracker.log_dataset(run.data, config.data.digest(), tables)
        self._recorder.complete()
        if config.labels == "truth":
            # Training would meet an unknown character minutes later, in a worker.
            self._check_texts(tables["train"]["text"].unique().to_list())
        self._display.phase("reading the images as they are")
        legible = legibility.ensure(run.data, run.path, config.recognizers[0])
        for file in (*summary.files(run.data), legible):
            self._tracker.log_file(file)

    def _check_texts(self, texts: list[str]) -> None:
        config = self._config
        trial.recognizer(config.recognizers).check(texts)
        alignable = training_data.alignable(texts, config)
        if long := [text for text, fits in zip(texts, alignable, strict=True) if not fits]:
            self._display.print(
                f"{len(long)} of {len(texts)} texts are too long for {config.recognizers[0].name} in an image of "
                f"{config.data.width}x{config.data.height} pixels and teach nothing, such as {long[0]!r}"
            )

    def _pool(self) -> Pool:
        self._display.phase("reading the training images as they are")
        pool = Pool(
            self._config,
            self._run.path,
            self._run.data,
            self._recorder,
            self._display.advanced,
            self._display.print,
        )
        if self._config.resources.gpus_per_trial and not pool.gpus:
            self._display.print("the cluster has no GPU: everything trains on CPUs")
        return pool

    def _settled(self, pool: Pool, given: Given) -> float:
        """When the search is to end, of the monotonic clock; a run whose steps follow from the time has them then."""
        if not self._run.unsized:
            return given.end
        size = Size(self._config, given.end)
        if given.end < math.inf:
            # What that takes is known then; below, it is done.
            self._measure_baselines(pool)
            self._display.phase("timing a few steps and points")
            size = time_given.size(self._config, pool, given, self._display)
            graceful_stop.raise_if_stopped(self._run.path)
        self._config = size.config
        self._run = replace(self._run, config=size.config, unsized=False)
        self._run.save()
        self._tracker.log_params(self._run.steps())
        return size.search_end

    def _measure(self, pool: Pool, deadline: float) -> None:
        """Trains and measures all points: those of the base curve, then those that the search proposes."""
        targets, lost = plan.targets(self._run, self._table), plan.lost(self._run, self._table)
        searched = plan.searched(self._config, self._table)
        # What has failed is tried again, once each time that the run is resumed.
        trials = max(0, self._config.search.budget - len(searched))
        ahead, strategy = [*targets, *lost], strategies.of(self._config)
        self._display.expect(plan.training(self._run, ahead), len(ahead), strategy.trial_nodes(self._config), trials)
        shared = strategy.shared_nodes(self._config)
        self._train(shared[:1], pool)
        self._measure_baselines(pool)
        # A trial whose seconds nobody has seen might start too late; base points tell of them.
        beside = targets if strategy.stands_alone and trials and deadline == math.inf else []
        if not beside:
            self._measure_targets(targets, "measuring the base codec and the images as they are", pool)
            if not self._table.of("base", "complete"):
                raise SweepError("no stage 1 succeeded, so no trial can start; see the points' reasons above")
        self._train(shared[1:], pool)
        self._measure_targets(lost, f"making {len(lost)} trials again, which have lost their checkpoints", pool)
        took = plan.trial_seconds(self._table, self._config)
        with ExitStack() as claims:
            claims.enter_context(self._alone_on(beside))
            phase = f"searching lambda and beta, {pool.searching(trials)} at a time"
            self._display.phase(phase, len(beside) + trials)
            pool.search(trials, searched, deadline, took, beside, claims.close)
        self._repeat(pool)

    def _repeat(self, pool: Pool) -> None:
        """Trains the front again from other seeds, and measures what comes of it."""
        for seed in range(self._config.seed + 1, self._config.seed + self._config.search.seeds):
            self._train(strategies.of(self._config).shared_nodes(replace(self._config, seed=seed)), pool)
            targets = plan.repetitions(self._run, self._table, seed)
            self._measure_targets(targets, f"measuring the front as trained from seed {seed}", pool)

    def _train(self, nodes: list[Node], pool: Pool) -> None:
        """Trains what all points share, by all workers together."""
        for node in nodes:
            with self._claimed([node]):
                self._display.phase(f"training one codec for all points: {node.title}", node.stage.steps)
                pool.train(node, functools.partial(self._recorder.trained, node))
            graceful_stop.raise_if_stopped(self._run.path)

    def _measure_targets(self, targets: list[Target], phase: str, pool: Pool) -> None:
        """Trains and measures points that the search does not propose."""
        if not targets:
            return
        with self._alone_on(targets):
            self._display.phase(phase, len(targets))
            for wave in tree.waves(targets, lambda target: target.node(self._config)):
                pool.measure(wave)
                graceful_stop.raise_if_stopped(self._run.path)

    def _alone_on(self, targets: Iterable[Target]) -> AbstractContextManager[None]:
        """In the block, no other sweep beside this one trains the points."""
        return self._claimed(node for target in targets if (node := target.node(self._config)))

    def _measure_baselines(self, pool: Pool) -> None:
        """Measures what needs no training, on the images that the codecs are measured on."""
        self._display.phase("measuring what needs no training")
        known = {point.point_id for kind in UNTRAINED for point in self._table.of(kind, "complete")}
        for point in pool.baselines(self._display.advanced):
            if point.point_id not in known:
                self._recorder.finished(point)

    @contextmanager
    def _claimed(self, nodes: Iterable[Node]) -> Generator[None]:
        """In the block, no other sweep beside this one trains the nodes: one of them does it, the others wait."""

        def wait() -> None:
            self._display.phase("waiting for another sweep, which trains the same")
            graceful_stop.raise_if_stopped(self._run.path)

        with self._store.claimed((node for node in nodes if node.stage.steps), wait):
            yield

    def _read_by_others(self, pool: Pool) -> None:
        """Measures the front with OCR engines that no codec was trained against."""
        readers, reasons = held_out.opened([each.name for each in self._config.recognizers])
        for name, reason in reasons.items():
            self._display.print(f"{name} does not read the front: {reason}")
        points = rereading.unread(self._table.frame, readers) if readers else []
        if points:
            self._display.phase(f"reading the front with {' and '.join(readers)}", len(points))
            pool.reread(points, [*readers])

    def _report(self) -> None:
        self._display.phase("drawing the report")
        readings.merge(self._run.path)
        self.summary = write.whole(self._run)
        for name in REPORTED:
            self._tracker.log_file(self._run.path / name)
        self._show_front()
        self._tracker.finish("FINISHED")
        self._display.phase("writing to MLflow what it lacks")
        self._recorder.settle()
        judge(self._table, self._display)

    def _show_front(self) -> None:
        """Logs the codecs of the front, and test images with their reconstructions, as far as MLflow lacks them."""
        tracker, front = self._tracker, listed(self._table.frame.filter("on_front"))
        points = [point for point in front if not (tracker.pictured(point) and tracker.modeled(point))]
        self._display.phase("preparing the front's codecs and reconstructions for MLflow", len(points))
        images, read = dataset.load(self._run.data, "test").images, readings.read(self._run.path)
        originals = readings.of_point(read, "uncompressed")
        for count, point in enumerate(points, 1):
            try:
                model = export.trained(self._run, point)
            except SweepError as error:
                logger.warning("%s is not drawn: %s", point.point_id, error)
                continue
            if not tracker.modeled(point):
                tracker.log_model(point, model)
            if not tracker.pictured(point):
                drawn = before_after.drawn(model, images, originals, readings.of_point(read, point.point_id))
                tracker.log_pictures(point, {f"test image {index}": png for index, png in enumerate(drawn)})
            self._display.advanced(count, len(points))


def judge(table: PointTable, display: Display) -> None:
    """Says whether the trials came to something.

    Raises:
        SweepError: all have failed.
    """
    if not table.of("tfic"):
        display.print("no trial would have ended in time; --resume goes on with them")
    elif not table.of("tfic", "complete"):
        raise SweepError("every trial of stage 2 failed; see the points' reasons above")

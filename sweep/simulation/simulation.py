"""A sweep in virtual time: real search, early stopping and stage tree; a formula trains and measures."""

import heapq
import itertools
import math
import random
from collections.abc import Iterator
from typing import NamedTuple

from sweep.config import SweepConfig
from sweep.errors import SweepError
from sweep.results.pareto import Objectives
from sweep.results.point import ValidationMetrics
from sweep.search import proposals, study
from sweep.search.early_stopping import FrontStopping, rungs
from sweep.search.front_search import FrontSearch
from sweep.search.proposals import ORIGINS
from sweep.simulation.formula import Workload, measured
from sweep.simulation.machines import Machines
from sweep.stages import strategies, tree
from sweep.stages.tree import Node
from sweep.trials.target import Target
from sweep.trials.trial import stops_early


class Autoscaler(NamedTuple):
    """What starts workers and lets go of them."""

    boot: float
    """Seconds until a worker that is asked for is ready."""
    idle: float
    """Seconds of idleness after which a worker is let go of."""


class Outcome(NamedTuple):
    """A simulated sweep."""

    seconds: float
    """Wall time."""
    busy: float
    """Seconds of work, summed over workers."""
    paid: float
    """Seconds for which workers are paid, summed over them: those at work, starting and idle."""
    trained: list[str]
    """Keys of the nodes, in the order in which their training ended."""
    statuses: list[str]
    """How each trial ended."""
    points: list[Objectives]
    """Measured on the test images, base points included."""


class Simulation:
    """One sweep in virtual time: the phases of a real one."""

    def __init__(
        self,
        config: SweepConfig,
        workers: int,
        workload: Workload,
        failures: float = 0.0,
        autoscaler: Autoscaler | None = None,
    ) -> None:
        """Prepares the sweep.

        Args:
            failures: share of trials that fail on their way.
            autoscaler: what starts workers and lets go of them; None: all are up from the start to the end.

        Raises:
            SweepError: there is no worker.
        """
        if workers < 1:
            raise SweepError(f"--workers {workers} is below 1")
        self._config, self._workers, self._workload, self._failures = config, workers, workload, failures
        self._strategy = strategies.of(config)
        self._machines = Machines(workers, *autoscaler or ())
        self._draw = random.Random(config.seed)
        self._now = self._busy = 0.0
        self._done: dict[str, None] = {}
        self._points: list[Objectives] = []
        self._statuses: list[str] = []

    def run(self, deadline: float = math.inf) -> Outcome:
        """The sweep, start to end."""
        shared = self._strategy.shared_nodes(self._config)
        self._together(shared[:1])
        base = [Target("base", rate_weight) for rate_weight in self._config.search.lambdas]
        at_a_time = proposals.at_a_time(self._config, self._config.search.budget, self._workers)
        if self._strategy.stands_alone and deadline == math.inf:
            points = (self._base_point(target) for target in base)
            self._run(itertools.chain(points, self._trials(deadline)), at_a_time)
        else:
            for wave in tree.waves(base, lambda target: target.node(self._config)):
                self._run((self._base_point(target) for target in wave), self._workers)
            self._together(shared[1:])
            self._run(self._trials(deadline), at_a_time)
        self._machines.end(self._now)
        busy, paid = self._busy, self._machines.paid
        return Outcome(self._now, busy, paid, list(self._done), self._statuses, self._points)

    def _together(self, nodes: list[Node]) -> None:
        """Trains nodes that all points share, each by all workers."""
        for node in nodes:
            members = min(self._workers, max(1, node.stage.batch_size // self._workload.share))
            speed = members * self._workload.together if members > 1 else 1.0
            seconds = self._workload.seconds(node, node.stage.steps) / speed
            # The team begins when its last member is up.
            begun = max(self._machines.take(self._now) for _ in range(members))
            self._now = begun + seconds
            for _ in range(members):
                self._work(seconds)
                self._machines.give(self._now)
            self._done[node.key] = None

    def _work(self, seconds: float) -> None:
        self._busy += seconds
        self._machines.work(seconds)

    def _run(self, work: Iterator[Iterator[float]], workers: int) -> None:
        """Has workers do pieces of work, each of which yields the seconds until it is to be asked again."""
        counter = itertools.count()
        events: list[tuple[float, int, Iterator[float]]] = []
        while True:
            while len(events) < workers and (piece := next(work, None)) is not None:
                heapq.heappush(events, (self._machines.take(self._now), next(counter), piece))
            if not events:
                return
            self._now, _, piece = heapq.heappop(events)
            if (seconds := next(piece, None)) is None:
                self._machines.give(self._now)
            else:
                self._work(seconds)
                heapq.heappush(events, (self._now + seconds, next(counter), piece))

    def _base_point(self, target: Target) -> Iterator[float]:
        """The work of one base point."""
        node = target.node(self._config)
        assert node is not None
        yield from self._train(node)
        yield self._workload.point
        self._points.append(measured(node, node.stage.steps, self._draw))

    def _train(self, node: Node) -> Iterator[float]:
        """Trains a node and its ancestors, oldest first, where nobody has."""
        for each in reversed([node, *node.ancestors]):
            if each.key not in self._done:
                yield self._workload.seconds(each, each.stage.steps)
                self._done[each.key] = None

    def _trials(self, deadline: float) -> Iterator[Iterator[float]]:
        """The work of each trial, as the search proposes them."""

        def too_late(seconds: float) -> bool:
            return self._now + seconds > deadline

        nodes = self._strategy.trial_nodes(self._config)
        took = [sum(self._workload.seconds(node, node.stage.steps) for node in nodes) + self._workload.point]
        search = FrontSearch(self._config, study.memory(), too_late=too_late, clock=lambda: self._now, took=took)
        stopping = FrontStopping()
        for number in range(self._config.search.budget):
            point = search.suggest(str(number))
            if point is None:
                return
            weights = proposals.weights(point, self._config)
            node = Target("tfic", *weights, origins=point[ORIGINS]).node(self._config)
            assert node is not None
            yield self._trial(str(number), node, search, stopping)

    def _trial(self, name: str, node: Node, search: FrontSearch, stopping: FrontStopping) -> Iterator[float]:
        """The work of one trial; the search is told what becomes of it."""
        if node.parent is not None:
            yield from self._train(node.parent)
        looks = rungs(node.stage.steps) if stops_early(node, self._config) else []
        fails = self._draw.random() < self._failures
        seen = ValidationMetrics(math.nan, math.nan)
        for before, steps in itertools.pairwise((0, *looks, node.stage.steps)):
            yield self._workload.seconds(node, steps - before)
            if fails:
                self._statuses.append("failed")
                return search.failed(name)
            reached = measured(node, steps, self._draw)
            seen = ValidationMetrics(*reached)
            if steps in looks:
                rung = looks.index(steps) + 1
                search.reached(name, rung, reached)
                if not stopping.passes(rung, name, reached):
                    self._statuses.append("stopped")
                    return search.stopped(name, seen)
        yield self._workload.point
        self._done[node.key] = None
        self._points.append(measured(node, node.stage.steps, self._draw))
        self._statuses.append("complete")
        return search.complete(name, seen)

"""How long the parts of a sweep take on this cluster: measured before a sweep's steps are sized to the time given."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean

import ray

from sweep.cluster import resources
from sweep.cluster.place import Place
from sweep.cluster.trainer import time_together
from sweep.config import SweepConfig
from sweep.stages import strategies
from sweep.stages.tree import Node
from sweep.stages.work import Pace
from sweep.trials import pace
from sweep.trials.pace import TrialPace
from sweep.trials.trial import Data

Team = tuple[SweepConfig, int]
"""What each worker of a training takes, and how many work, as `resources.team` says."""


@dataclass(frozen=True)
class Cluster:
    """What a sweep's work runs on."""

    config: SweepConfig
    """What each trial takes."""
    places: int
    """Trials at a time."""
    team: Callable[[Node], Team]
    """Who trains a node that all points share."""
    place: Place
    """The run's folder."""
    data: ray.ObjectRef[Data]


def measured(cluster: Cluster, readers: list[str], seconds: float) -> Pace:
    """The pace of a sweep on the cluster.

    Args:
        readers: names of the held-out readers.
        seconds: time in which steps of each stage are measured.
    """
    config, strategy = cluster.config, strategies.of(cluster.config)
    together, team = _together(cluster, strategy.shared_nodes(config), seconds)
    alone = _alone(config)
    trials, start = _trials(cluster, alone, readers, seconds)
    own = [fmean(step) for step in zip(*(trial.steps for trial in trials), strict=True)]
    stage1, stage2 = together or own
    return Pace(
        stage1=stage1,
        stage2=stage2,
        polish=own[0] if together and own else 0.0,
        team=team,
        start=start,
        point=fmean(trial.point for trial in trials),
        reading=fmean(trial.reading for trial in trials),
        places=cluster.places,
    )


def _alone(config: SweepConfig) -> list[Node]:
    """What trials train themselves: a stage 1 and a stage 2, or the polish of a fold."""
    strategy, weight = strategies.of(config), config.search.lambdas[0]
    own = strategy.trial_node(config, weight, config.search.betas[0])
    if strategy.conditions:
        return [own] if own.stage.steps else []
    return [strategy.base_node(config, weight), own]


def _together(cluster: Cluster, nodes: list[Node], seconds: float) -> tuple[list[float], float]:
    """Seconds of a step of each node by all workers together, and until they begin; alike workers start once."""
    steps, starts = list[float](), list[float]()
    for team, alike in _by_team(cluster, nodes):
        began = time.monotonic()
        found = time_together(alike, team[0], cluster.place, cluster.data, team[1], seconds)
        starts.append(time.monotonic() - began - sum(each.total for each in found))
        steps += [each.step for each in found]
    return steps, fmean(starts) if starts else 0.0


def _by_team(cluster: Cluster, nodes: Iterable[Node]) -> list[tuple[Team, list[Node]]]:
    """The nodes in order, those together that are trained one after the other by workers of one kind."""
    found = list[tuple[Team, list[Node]]]()
    for node in nodes:
        team = cluster.team(node)
        if found and found[-1][0] == team:
            found[-1][1].append(node)
        else:
            found.append((team, [node]))
    return found


def _trials(cluster: Cluster, nodes: list[Node], readers: list[str], seconds: float) -> tuple[list[TrialPace], float]:
    """The pace of as many trials as run at a time, side by side, and seconds until they begin."""
    began, needs = time.monotonic(), cluster.config.resources
    task = ray.remote(num_cpus=needs.cpus_per_trial, num_gpus=needs.gpus_per_trial)(pace.measured)
    wanted = [task.remote(cluster.config, nodes, readers, cluster.data, seconds) for _ in range(cluster.places)]
    trials: list[TrialPace] = resources.results(wanted)
    return trials, time.monotonic() - began - max(trial.total for trial in trials)

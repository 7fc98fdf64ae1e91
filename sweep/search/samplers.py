"""What proposes the next point: Optuna's samplers by their names on the command line, each reproducible."""

from collections.abc import Callable

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler

from sweep.config import SweepConfig
from sweep.names import SamplerName

POPULATION = 16
"""Points in a generation of the genetic sampler: a budget of 64 is to see some generations."""


class SobolPoint(QMCSampler):
    """One given point of a quasi-random sequence."""

    def __init__(self, seed: int, index: int) -> None:
        super().__init__(seed=seed, scramble=True)
        self._index = index

    # Optuna has no public way to name the point: it counts what was drawn, and so counts what a kill has undone.
    def _find_sample_id(self, study: optuna.Study, search_space: dict[str, BaseDistribution]) -> int:
        del study, search_space
        return self._index


def seed(config: SweepConfig, known: int) -> int:
    """A seed for each proposal, by the number of those before it.

    An interrupted search so proposes what an undisturbed one does.
    """
    return hash((config.seed, known)) % 2**32


SAMPLERS: dict[SamplerName, Callable[[SweepConfig, int], BaseSampler]] = {
    "tpe": lambda config, known: TPESampler(seed=seed(config, known), multivariate=True, constant_liar=True),
    "gp": lambda config, known: GPSampler(seed=seed(config, known)),
    "nsga2": lambda config, known: NSGAIISampler(seed=seed(config, known), population_size=POPULATION),
    # The sequence begins after the first points, one for each lambda.
    "qmc": lambda config, known: SobolPoint(config.seed, max(0, known - len(config.search.lambdas))),
    "random": lambda config, known: RandomSampler(seed(config, known)),
    # The points of a grid are all proposed first.
    "grid": lambda config, known: RandomSampler(seed(config, known)),
}
"""Makes a sampler anew for each proposal, by the number of those before it."""

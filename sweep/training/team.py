"""The workers that train one stage together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from datagen.dataset import Batch


@dataclass(frozen=True)
class Team:
    """Each trains on its share of every batch, all with the same weights."""

    rank: int = 0
    size: int = 1
    join: Callable[[nn.Module], nn.Module] = lambda network: network
    """Gives the network whose backward pass averages gradients over the team; waits for the others."""
    any: Callable[[bool], bool] = bool
    """Whether it is true for any member; waits for the others."""
    from_first: Callable[[Any], Any] = lambda mine: mine
    """What the first member gives it, whatever the others give; waits for them."""

    def share(self, batch: Batch) -> Batch:
        """Every `size`-th image, from the `rank`-th on."""
        mine = slice(self.rank, None, self.size)
        clean = None if batch.clean is None else batch.clean[mine]
        return Batch(batch.images[mine], batch.texts[mine], clean)


ALONE = Team()

"""What a stage is trained with: Muon for the convolutions of a codec, Adam for everything else."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

MOMENTUM = 0.95
SIZE = 0.5
"""Root mean square of a Muon update over its learning rate, so that one rate serves both; Adam's is 0.2 to 0.4 (Liu et
al., "Muon is scalable for LLM training", arXiv 2502.16982, section 2.2)."""
COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of an odd polynomial that, applied again and again, brings singular values from 0..1 close to 1."""
ITERATIONS = 5
LEAST_CHANNELS = 4
"""A convolution from or to fewer is no matrix worth the name: pixels stay with Adam."""


class CodecOptimizer:
    """Updates all that is trained of a codec, at a learning rate given with each step."""

    def __init__(self, codec: nn.Module) -> None:
        self.parameters = [parameter for parameter in codec.parameters() if parameter.requires_grad]
        matrices = [parameter for parameter in self.parameters if _is_matrix(parameter)]
        rest = [parameter for parameter in self.parameters if not _is_matrix(parameter)]
        self._parts = {"muon": Muon(matrices), "adam": torch.optim.Adam(rest, fused=True)}

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for part in self._parts.values():
            part.zero_grad()

    def step(self, learning_rate: float) -> None:
        """One update."""
        for part in self._parts.values():
            part.param_groups[0]["lr"] = learning_rate
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """What an interrupted training needs to go on."""
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])


class Muon(torch.optim.Optimizer):
    """Momentum whose every update is orthogonalized (Jordan et al., "Muon", 2024), for weights of convolutions.

    In float32 on every device: torch's own takes matrices alone, and bfloat16 that many processors only emulate.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": 0.0})

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - no closure
        """One update, at the rate of the group."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if not self.state[parameter]:
                    self.state[parameter]["momentum"] = torch.zeros_like(parameter)
                momentum = self.state[parameter]["momentum"].mul_(MOMENTUM).add_(parameter.grad)
                # Nesterov's look ahead.
                update = orthogonalized(parameter.grad.add(momentum, alpha=MOMENTUM).flatten(1))
                rate = group["lr"] * SIZE * max(update.shape) ** 0.5
                parameter.add_(update.view(parameter.shape), alpha=-rate)


def orthogonalized(matrix: Float[Tensor, "m n"]) -> Float[Tensor, "m n"]:
    """The nearest matrix whose singular values are one, roughly: they end between 0.7 and 1.2."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
    x = wide / (wide.norm() + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide is matrix else x.mT


def _is_matrix(parameter: nn.Parameter) -> bool:
    return parameter.ndim == 4 and min(parameter.shape[:2]) >= LEAST_CHANNELS

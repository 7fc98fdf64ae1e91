"""What a stage is trained with: Muon for the convolutions of a codec, Adam for everything else."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.cuda_graphs import recording

MOMENTUM = 0.95
SIZE = 0.5
"""Root mean square of a Muon update over its learning rate, so that one rate serves both; Adam's is 0.2 to 0.4 (Liu et
al., "Muon is scalable for LLM training", arXiv 2502.16982, section 2.2)."""
COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Coefficients of an odd polynomial that, applied again and again, brings singular values from 0..1 close to 1."""
ITERATIONS = 5
EAGER = 3
"""Updates before one is recorded: the first make what an optimizer keeps."""
LEAST_CHANNELS = 4
"""A convolution from or to fewer is no matrix worth the name: pixels stay with Adam."""


class CodecOptimizer:
    """Updates all that is trained of a codec, at a learning rate given with each step.

    Where the gradient is not finite, the update is left out: nothing changes but the counts of these. A GPU sees to
    that by itself, for to be asked at each step it would have to be waited for.
    """

    def __init__(self, codec: nn.Module) -> None:
        self.parameters = [parameter for parameter in codec.parameters() if parameter.requires_grad]
        device = self.parameters[0].device
        self._rate, self._skipping = torch.zeros((), device=device), torch.zeros((), device=device)
        self._parts = self._shared_out(self.parameters)
        for part in self._parts.values():
            # As torch's own GradScaler tells its optimizers.
            part.found_inf = self._skipping  # pyright: ignore[reportAttributeAccessIssue]
        self.skipped = torch.zeros((), dtype=torch.int64, device=device)
        """Updates that were left out."""
        self.streak = torch.zeros((), dtype=torch.int64, device=device)
        """Updates left out in a row, up to now."""
        self._updates = 0
        self._recorded: _Recorded | None = None

    def _shared_out(self, parameters: list[nn.Parameter]) -> dict[str, torch.optim.Optimizer]:
        matrices = [parameter for parameter in parameters if _is_matrix(parameter)]
        return {"muon": Muon(matrices), "adam": adam([p for p in parameters if not _is_matrix(p)])}

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for part in self._parts.values():
            part.zero_grad()

    def step(self, learning_rate: float, norm: Float[Tensor, ""]) -> None:
        """One update; a GPU repeats what it did at the first ones.

        Args:
            norm: the gradient's, which tells whether it is finite.
        """
        self._rate.fill_(learning_rate)
        self._count(~norm.isfinite())
        if self._recorded is not None:
            self._recorded.replay()
            return
        self._update()
        self._updates += 1
        if self._rate.is_cuda and self._updates == EAGER:
            self._recorded = _Recorded(self.parameters, self._update)

    def _count(self, skipping: Bool[Tensor, ""]) -> None:
        self._skipping.copy_(skipping)
        self.skipped += skipping
        self.streak.add_(1).mul_(skipping)

    def _update(self) -> None:
        for part in self._parts.values():
            for group in part.param_groups:
                group["lr"] = self._rate
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """What an interrupted training needs to go on."""
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load_state_dict(self, state: dict[str, Any], skipped: int = 0) -> None:
        """Takes back what `state_dict` gave, and how many updates had been left out by then."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self.skipped.fill_(skipped)
        self.streak.zero_()
        # What is recorded writes where the state was before.
        self._updates, self._recorded = 0, None


def adam(parameters: list[nn.Parameter]) -> torch.optim.Adam:
    """Adam in few kernels, such as a graph can hold."""
    return torch.optim.Adam(parameters, fused=True, capturable=parameters[0].is_cuda)


class _Recorded:
    """An update as a CUDA graph, which reads gradients where it finds them once and for all."""

    def __init__(self, parameters: list[nn.Parameter], update: Callable[[], None]) -> None:
        self._parameters = [parameter for parameter in parameters if parameter.grad is not None]
        self._gradients = [torch.empty_like(parameter) for parameter in self._parameters]
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            parameter.grad = gradient
        self._graph = torch.cuda.CUDAGraph()
        with recording(), torch.cuda.graph(self._graph):
            update()

    def replay(self) -> None:
        """The update, with the gradients of now."""
        found = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        torch._foreach_copy_(self._gradients, found)  # pyright: ignore[reportPrivateImportUsage, reportPrivateUsage]
        self._graph.replay()


class Muon(torch.optim.Optimizer):
    """Momentum whose every update is orthogonalized (Jordan et al., "Muon", 2024), for weights of convolutions.

    In float32 on every device: torch's own takes matrices alone, and bfloat16 that many processors only emulate and
    that loses the sign of what is smallest in a product of the shorter sides.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        alike = groupby(sorted(parameters, key=_shorter_side), key=_shorter_side)
        super().__init__([{"params": list(group)} for _, group in alike], {"lr": torch.tensor(0.0)})
        self.found_inf = torch.tensor(0.0)
        """1 where an update is to change nothing."""

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - no closure
        """One update, at the rate of each group; one that is left out has no gradient, no decay and no rate."""
        # Arithmetic, for a graph can hold no choice between two numbers.
        skipping, going = self.found_inf.bool(), 1 - self.found_inf
        decay = self.found_inf + going * MOMENTUM
        for group in self.param_groups:
            rate = going * group["lr"]
            updates = orthogonalized([self._ahead(each, skipping, decay).flatten(1) for each in group["params"]])
            for parameter, update in zip(group["params"], updates, strict=True):
                size = SIZE * max(update.shape) ** 0.5
                parameter.addcmul_(update.view(parameter.shape), rate, value=-size)

    def _ahead(self, parameter: nn.Parameter, skipping: Bool[Tensor, ""], decay: Float[Tensor, ""]) -> Tensor:
        """The gradient, and Nesterov's look ahead along the momentum."""
        assert parameter.grad is not None, "each weight has its part in the loss"
        gradient = parameter.grad.masked_fill(skipping, 0.0)
        if not self.state[parameter]:
            self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        momentum = self.state[parameter]["momentum"].mul_(decay).add_(gradient)
        return gradient.add(momentum, alpha=MOMENTUM)


def orthogonalized(matrices: list[Float[Tensor, "_ _"]]) -> list[Float[Tensor, "_ _"]]:
    """The nearest matrices whose singular values are one, roughly: they end between 0.7 and 1.2.

    Args:
        matrices: all with one shorter side, from which polynomials multiply them: all but the first and the last
            product are as small as that, and shared.
    """
    wide = [matrix if _is_wide(matrix) else matrix.mT for matrix in matrices]
    scaled: list[Tensor] = [matrix / (matrix.norm() + 1e-7) for matrix in wide]  # pyright: ignore[reportUnknownMemberType]
    polynomials = _polynomials(torch.stack([x @ x.mT for x in scaled]))
    found = [polynomial @ x for polynomial, x in zip(polynomials, scaled, strict=True)]
    return [x if _is_wide(matrix) else x.mT for x, matrix in zip(found, matrices, strict=True)]


def _polynomials(gram: Float[Tensor, "k m m"]) -> Float[Tensor, "k m m"]:
    """What x is multiplied by, of each x @ x.mT."""
    total = factor = _factor(gram)
    for _ in range(ITERATIONS - 1):
        gram = factor @ gram @ factor
        factor = _factor(gram)
        total = factor @ total
    return total


def _factor(gram: Float[Tensor, "k m m"]) -> Float[Tensor, "k m m"]:
    a, b, c = COEFFICIENTS
    factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    factor.diagonal(dim1=1, dim2=2).add_(a)
    return factor


def _is_wide(matrix: Tensor) -> bool:
    return matrix.shape[0] <= matrix.shape[1]


def _shorter_side(parameter: nn.Parameter) -> int:
    return min(parameter.flatten(1).shape)


def _is_matrix(parameter: nn.Parameter) -> bool:
    return parameter.ndim == 4 and min(parameter.shape[:2]) >= LEAST_CHANNELS

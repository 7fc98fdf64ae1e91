"""What a stage is trained with: Muon for the convolutions of a codec, Adam for everything else."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.replay import recording

MOMENTUM = 0.95
SIZE = 0.5
"""Root mean square of a Muon update over its learning rate, so that one rate serves both; Adam's is 0.2 to 0.4 (Liu et
al., "Muon is scalable for LLM training", arXiv 2502.16982, section 2.2)."""
COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of an odd polynomial that, applied again and again, brings singular values from 0..1 close to 1."""
ITERATIONS = 5
EAGER = 3
"""Updates before one is recorded: the first make what an optimizer keeps."""
LEAST_CHANNELS = 4
"""A convolution from or to fewer is no matrix worth the name: pixels stay with Adam."""


class CodecOptimizer:
    """Updates all that is trained of a codec, at a learning rate given with each step."""

    def __init__(self, codec: nn.Module) -> None:
        self.parameters = [parameter for parameter in codec.parameters() if parameter.requires_grad]
        self._parts = self._shared_out(self.parameters)
        self._rate = torch.zeros((), device=self.parameters[0].device)
        self._updates = 0
        self._recorded: _Recorded | None = None

    def _shared_out(self, parameters: list[nn.Parameter]) -> dict[str, torch.optim.Optimizer]:
        matrices = [parameter for parameter in parameters if _is_matrix(parameter)]
        return {"muon": Muon(matrices), "adam": adam([p for p in parameters if not _is_matrix(p)])}

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for part in self._parts.values():
            part.zero_grad()

    def step(self, learning_rate: float) -> None:
        """One update; a GPU repeats what it did at the first ones."""
        self._rate.fill_(learning_rate)
        if self._recorded is not None:
            self._recorded.replay()
            return
        self._update()
        self._updates += 1
        if self._rate.is_cuda and self._updates == EAGER:
            self._recorded = _Recorded(self.parameters, self._update)

    def _update(self) -> None:
        for part in self._parts.values():
            part.param_groups[0]["lr"] = self._rate
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """What an interrupted training needs to go on."""
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])


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
        torch._foreach_copy_(self._gradients, found)  # pyright: ignore[reportPrivateImportUsage]
        self._graph.replay()


class Muon(torch.optim.Optimizer):
    """Momentum whose every update is orthogonalized (Jordan et al., "Muon", 2024), for weights of convolutions.

    In float32 on every device: torch's own takes matrices alone, and bfloat16 that many processors only emulate.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": torch.tensor(0.0)})

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
                size = SIZE * max(update.shape) ** 0.5
                parameter.addcmul_(update.view(parameter.shape), group["lr"], value=-size)


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

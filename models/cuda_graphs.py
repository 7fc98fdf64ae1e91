"""CUDA graphs: a GPU ends small kernels sooner than Python starts them, so they are recorded and started as one."""

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree


class CudaGraphed:
    """A network whose passes, forward and backward, repeat on a GPU what they did when first given such inputs.

    Without gradients, and on a CPU, it is the network as it is. Shapes decide what is repeated, so nothing else that
    the network does may depend on its inputs. What it gives is valid until it is called again.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._weights: tuple[int, ...] = ()
        self._recorded: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """The network's outputs; `settings` are what is no tensor."""
        tensors: list[Tensor] = pytree.tree_leaves(inputs)
        if not (torch.is_grad_enabled() and tensors[0].is_cuda):
            return self._network(*inputs, **settings)
        weights = tuple(weight.data_ptr() for weight in self._network.parameters())
        if weights != self._weights:
            # What was recorded reads weights where they lay.
            self._weights, self._recorded = weights, {}
        key = tuple((tensor.shape, tensor.requires_grad) for tensor in tensors), *settings.items()
        if key not in self._recorded:
            self._recorded[key] = _record(_Passes(self._network, settings), inputs)
        return self._recorded[key](*inputs)


class _Passes(nn.Module):
    """A network at given settings, in the precision of now: outside, gradients are computed in their own."""

    def __init__(self, network: nn.Module, settings: dict[str, Any]) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.precision = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else None

    def forward(self, *inputs: Any) -> Any:
        enabled = self.precision is not None
        with torch.autocast("cuda", self.precision, enabled=enabled, cache_enabled=False):
            return self.network(*inputs, **self.settings)


def _record(passes: _Passes, inputs: tuple[Any, ...]) -> Callable[..., Any]:
    examples = pytree.tree_map(_like, inputs)
    # Weights were used on another stream before, and are not while it records.
    torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
    with recording(), torch.autocast("cuda", enabled=False):
        return torch.cuda.make_graphed_callables(passes, examples, allow_unused_input=True)


def _like(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().requires_grad_(tensor.requires_grad)


@contextmanager
def recording() -> Generator[None]:
    """Collects no garbage in the block, for an older graph among it would end the recording."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

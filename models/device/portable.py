"""Operations that ONNX Runtime lacks on a CPU, computed by those that it has.

It has no kernel of float64 for a convolution or a leaky ReLU, and ONNX has no operation that finds a number's place
among sorted ones.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.overrides import TorchFunctionMode

Pair = tuple[int, int]


class Portable(TorchFunctionMode):
    """While it is entered, what PyTorch computes in float64 can be exported to ONNX Runtime.

    Results differ by the order of sums alone, which is 1e-15.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """What `func` gives, or what stands for it."""
        precise = bool(args) and isinstance(args[0], Tensor) and args[0].dtype == torch.float64
        known = ANY | PRECISE if precise else ANY
        return known.get(func, func)(*args, **(kwargs or {}))


def conv2d(
    x: Float[Tensor, "b c h w"],
    weight: Float[Tensor, "c2 _c kh kw"],
    bias: Float[Tensor, " c2"] | None = None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Float[Tensor, "b c2 h2 w2"]:
    """A convolution as one product of matrices, of which one has what each position of the kernel sees side by side.

    Raises:
        NotImplementedError: it has strides, holes or groups.
    """
    if (stride, dilation, groups) != ((1, 1), (1, 1), 1):
        raise NotImplementedError("a convolution of float64 with strides, holes or groups")
    (kernel_height, kernel_width), (above, left) = weight.shape[2:], padding
    padded = F.pad(x, (left, left, above, above)).permute(0, 2, 3, 1)
    height, width = padded.shape[1] - kernel_height + 1, padded.shape[2] - kernel_width + 1
    rows = [padded[:, row : row + height] for row in range(kernel_height)]
    seen = [row[:, :, column : column + width] for row in rows for column in range(kernel_width)]
    result = torch.cat(seen, 3) @ weight.permute(2, 3, 1, 0).flatten(0, 2)
    return (result if bias is None else result + bias).permute(0, 3, 1, 2)


def conv_transpose2d(
    x: Float[Tensor, "b c h w"],
    weight: Float[Tensor, "c _c2 k k"],
    bias: Float[Tensor, " c2"] | None = None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    output_padding: Pair = (0, 0),
    groups: int = 1,
    dilation: Pair = (1, 1),
) -> Float[Tensor, "b c2 h2 w2"]:
    """A transposed convolution as a convolution with the mirrored kernel, of the map with zeros between its elements.

    Raises:
        NotImplementedError: it has holes or groups, or differs between rows and columns.
    """
    pairs = (stride, padding, output_padding)
    if (dilation, groups) != ((1, 1), 1) or any(rows != columns for rows, columns in pairs):
        raise NotImplementedError("a transposed convolution of float64 with holes, groups or uneven sides")
    (step, _), (cut, _), (more, _) = pairs
    batch, channels, height, width = x.shape
    # Of the zeros, step - 1 stand behind the last element too.
    spread = F.pad(x[:, :, :, None, :, None], (0, step - 1, 0, 0, 0, step - 1))
    before = weight.shape[2] - 1 - cut
    after = before + more - (step - 1)
    padded = F.pad(spread.reshape(batch, channels, height * step, width * step), (before, after, before, after))
    return conv2d(padded, weight.flip(2, 3).transpose(0, 1), bias)


def leaky_relu(
    x: Float[Tensor, "*shape"], negative_slope: float = 0.01, inplace: bool = False
) -> Float[Tensor, "*shape"]:
    """The larger one of x and its small multiple."""
    del inplace
    return torch.maximum(x, negative_slope * x)


def bucketize(x: Float[Tensor, "*shape"], boundaries: Float[Tensor, " n"]) -> Int[Tensor, "*shape"]:
    """How many of the rising boundaries lie below each element, by bisection."""
    halvings = len(boundaries).bit_length()
    padded = F.pad(boundaries, (0, 2**halvings - 1 - len(boundaries)), value=torch.inf)
    first, *steps = (2**power for power in reversed(range(halvings)))
    below = first * (x > padded[first - 1]).long()
    for step in steps:
        middle = padded.index_select(0, (below + (step - 1)).flatten()).reshape(x.shape)
        below = below + step * (x > middle).long()
    return below


ANY: dict[Callable[..., Any], Callable[..., Any]] = {torch.bucketize: bucketize}
"""What stands for an operation."""
PRECISE: dict[Callable[..., Any], Callable[..., Any]] = {
    F.conv2d: conv2d,
    F.conv_transpose2d: conv_transpose2d,
    F.leaky_relu: leaky_relu,
}
"""What stands for an operation of float64."""

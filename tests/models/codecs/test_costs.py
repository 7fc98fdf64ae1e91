"""The table of codecs."""

from io import StringIO

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from models.codecs import costs
from models.codecs import registry as codecs
from models.errors import ModelError


def test_multiplications_are_those_of_the_convolutions() -> None:
    counted = 0

    def count(layer: nn.Module, inputs: tuple, output: Tensor) -> None:
        nonlocal counted
        assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
        places = output if isinstance(layer, nn.Conv2d) else inputs[0]
        counted += places[0, 0].numel() * layer.weight.numel()

    codec = codecs.build("small").eval()
    for layer in codec.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    codec(torch.rand(1, 3, 64, 256))
    found = costs.measure("small")
    assert found.macs_per_pixel == pytest.approx(counted / (64 * 256), rel=0.01)
    assert found.parameters == 347_139
    assert min(found.encode_ms, found.decode_ms) > 0


def test_a_table_has_a_row_a_codec() -> None:
    printed = StringIO()
    costs.show(["small", "factorized"], Console(file=printed, width=100))
    said = printed.getvalue()
    assert "347,139" in said
    assert said.index("small") < said.index("factorized")
    assert "64x256" in said


def test_unknown_codecs_are_named_before_anything_is_measured() -> None:
    printed = StringIO()
    with pytest.raises(ModelError, match=r"nosuch.*small"):
        costs.show(["small", "nosuch"], Console(file=printed))
    assert not printed.getvalue()

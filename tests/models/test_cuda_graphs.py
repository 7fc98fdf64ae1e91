"""A replayed network computes what the network does; what a GPU repeats is tested where there is one."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from miniatures import MINIATURES
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from models.codecs import registry as codecs
from models.codecs.conditioning import Condition, ConditionedCodec, Plane
from models.cuda_graphs import CudaGraphed
from models.recognizers.ctc_attention import CtcRecognizer
from models.recognizers.four_stage.network import COMBINATIONS, StrNet

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
Noted = Callable[[Callable[[], Tensor]], list[str]]
"""A pass -> what it waits for."""
PLANE = Plane(rate_weights=(0.01, 0.2), ocr_weights=(0.001, 0.3))


class Waits(TorchDispatchMode):
    """Notes what a recording cannot hold: a value asked of the device, or brought there from the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, operation: Any, types: Any, inputs: tuple = (), settings: dict | None = None) -> Any:
        found = operation(*inputs, **(settings or {}))
        given, made = (
            [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, Tensor)]
            for tree in ((inputs, settings), found)
        )
        brought = any(t.is_cpu and t.ndim for t in given) and any(t.is_meta for t in made)
        if brought or operation in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default):
            self.seen.append(str(operation))
        return found


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Noted:
    """Of a pass, forward and backward, that has been made before, on a device that computes nothing."""
    monkeypatch.setattr(torch, "autocast", lambda *settings, **named: nullcontext())

    def of(passed: Callable[[], Tensor]) -> list[str]:
        passed().sum().backward()
        with Waits() as waits:
            passed().sum().backward()
        return waits.seen

    return of


@pytest.mark.parametrize("name", MINIATURES)
def test_no_codec_waits_for_the_gpu(name: str, waits: Noted) -> None:
    codec = ConditionedCodec(MINIATURES[name](), PLANE).train().to("meta")

    def passed() -> Tensor:
        output = codec(*inputs("meta", 256))
        return output.x_hat.sum() + sum(likelihoods.sum() for likelihoods in output.likelihoods.values())

    assert waits(passed) == []


@pytest.mark.parametrize("name", ["tps-vgg-bilstm-ctc", "none-rcnn-none-ctc", "tps-resnet-none-ctc"])
def test_no_network_with_ctc_waits_for_the_gpu(name: str, waits: Noted) -> None:
    recognizer = CtcRecognizer(StrNet(COMBINATIONS[name], 4, 64, 32), "abc", 32, 100).to("meta")
    images = torch.rand(2, 3, 64, 256, device="meta", requires_grad=True)
    assert waits(lambda: recognizer(images)) == []


def test_a_pass_that_waits_is_noticed(waits: Noted) -> None:
    weight = torch.ones(3, device="meta", requires_grad=True)
    assert waits(lambda: weight * torch.ones(3).to("meta"))


@pytest.fixture
def codec() -> ConditionedCodec:
    torch.manual_seed(0)
    return ConditionedCodec(codecs.build("small"), PLANE).train()


def inputs(device: str, width: int = 128) -> tuple[Tensor, Condition]:
    images = torch.rand(2, 3, 64, width, device=device)
    return images, Condition(torch.full((2,), 0.05, device=device), torch.full((2,), 0.1, device=device))


def passes(
    network: ConditionedCodec | CudaGraphed, codec: ConditionedCodec, device: str
) -> Iterator[tuple[Tensor, ...]]:
    """Outputs and gradients of two steps, each with its own images."""
    for step in range(2):
        codec.zero_grad()
        torch.manual_seed(step)
        output = network(*inputs(device))
        (output.x_hat.square().mean() - output.likelihoods["y"].log().mean()).backward()
        gradients = [weight.grad.clone() for weight in codec.parameters() if weight.grad is not None]
        yield output.x_hat.detach().clone(), output.likelihoods["z"].detach().clone(), *gradients


def test_on_a_cpu_it_is_the_network_itself(codec: ConditionedCodec) -> None:
    replayed = CudaGraphed(codec)
    for found, expected in zip(passes(replayed, codec, "cpu"), passes(codec, codec, "cpu"), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert not replayed._recorded


@GPU
def test_a_gpu_repeats_outputs_noise_and_gradients(codec: ConditionedCodec) -> None:
    codec.cuda()
    replayed = CudaGraphed(codec)
    next(passes(replayed, codec, "cuda"))
    for found, expected in zip(passes(replayed, codec, "cuda"), passes(codec, codec, "cuda"), strict=True):
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
    assert len(replayed._recorded) == 1


@GPU
def test_a_recognizer_that_has_moved_is_recorded_anew(recognizer: CtcRecognizer) -> None:
    images, losses = torch.rand(2, 3, 64, 128, device="cuda"), []
    for _ in range(2):
        recognizer.cuda()
        losses += [recognizer.loss(images.requires_grad_(), ["ab", "cde"]) for _ in range(2)]
        recognizer.cpu()
    expected = recognizer.loss(images.cpu(), ["ab", "cde"])
    for loss in losses:
        torch.testing.assert_close(loss.cpu(), expected, rtol=1e-2, atol=1e-2)

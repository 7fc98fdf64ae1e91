"""A replayed network computes what the network does; what a GPU repeats is tested where there is one."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from models import codecs
from models.conditioning import Condition, ConditionedCodec, Plane
from models.frozen import CtcRecognizer
from models.replay import Replayed
from sweep import optimizer
from sweep.optimizer import CodecOptimizer

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture
def codec() -> ConditionedCodec:
    torch.manual_seed(0)
    return ConditionedCodec(codecs.build("small"), Plane(rate_weights=(0.01, 0.2), ocr_weights=(0.001, 0.3))).train()


def inputs(device: str) -> tuple[Tensor, Condition]:
    images = torch.rand(2, 3, 64, 128, device=device)
    return images, Condition(torch.full((2,), 0.05, device=device), torch.full((2,), 0.1, device=device))


def passes(network: ConditionedCodec | Replayed, codec: ConditionedCodec, device: str) -> Iterator[tuple[Tensor, ...]]:
    """Outputs and gradients of two steps, each with its own images."""
    for step in range(2):
        codec.zero_grad()
        torch.manual_seed(step)
        output = network(*inputs(device))
        (output.x_hat.square().mean() - output.likelihoods["y"].log().mean()).backward()
        gradients = [weight.grad.clone() for weight in codec.parameters() if weight.grad is not None]
        yield output.x_hat.detach().clone(), output.likelihoods["z"].detach().clone(), *gradients


def test_on_a_cpu_it_is_the_network_itself(codec: ConditionedCodec) -> None:
    replayed = Replayed(codec)
    for found, expected in zip(passes(replayed, codec, "cpu"), passes(codec, codec, "cpu"), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert not replayed._recorded


@GPU
def test_a_gpu_repeats_outputs_noise_and_gradients(codec: ConditionedCodec) -> None:
    codec.cuda()
    replayed = Replayed(codec)
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


@GPU
def test_a_gpu_repeats_updates_at_the_rate_and_gradients_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = []
    for eager in (0, optimizer.EAGER):
        monkeypatch.setattr(optimizer, "EAGER", eager)
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(8, 16, 3), nn.Conv2d(16, 8, 3)).cuda()
        updates = CodecOptimizer(network)
        for step in range(6):
            for weight in updates.parameters:
                weight.grad = torch.randn_like(weight)
            updates.step(1e-3 * (step + 1))
        moved.append([weight.detach().clone() for weight in network.parameters()])
    for a, b in zip(*moved, strict=True):
        torch.testing.assert_close(a, b)

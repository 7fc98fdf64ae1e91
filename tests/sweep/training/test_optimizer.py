import math

import pytest
import torch
from torch import nn

from models.codecs import registry as codecs
from sweep.training import optimizer
from sweep.training.optimizer import CodecOptimizer, Muon, orthogonalized


@pytest.mark.parametrize("shape", [(16, 16), (8, 40), (40, 8)])
def test_an_orthogonalized_matrix_keeps_its_directions_and_evens_their_sizes(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    u, s, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    (found,) = orthogonalized([u @ torch.diag(s.clamp(min=0.1 * s.max())) @ v])
    assert found.shape == shape
    weights = u.mT @ found @ v.mT
    torch.testing.assert_close(weights, torch.diag(weights.diag()), atol=1e-3, rtol=0)
    assert 0.6 < weights.diag().min() <= weights.diag().max() < 1.3


@pytest.mark.parametrize("decades", [2, 8, 30])
def test_directions_of_next_to_no_size_stay_bounded(decades: int) -> None:
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(64, 300), full_matrices=False)
    sizes = torch.logspace(0, -decades, 64)
    (found,) = orthogonalized([u @ torch.diag(sizes) @ v])
    x = u.double() @ torch.diag(sizes / sizes.norm()).double() @ v.double()
    a, b, c = optimizer.COEFFICIENTS
    for _ in range(optimizer.ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    torch.testing.assert_close(found.double(), x, atol=2e-3, rtol=0)
    assert torch.linalg.matrix_norm(found, 2) < 1.3


def test_matrices_orthogonalized_together_are_as_orthogonalized_alone() -> None:
    torch.manual_seed(0)
    matrices = [torch.randn(16, 40), torch.randn(16, 16), torch.randn(60, 16)]
    for matrix, found in zip(matrices, orthogonalized(matrices), strict=True):
        assert found.shape == matrix.shape
        torch.testing.assert_close(found, orthogonalized([matrix])[0])


def test_muon_descends_a_quadratic_in_its_layout() -> None:
    target = torch.randn(8, 4, 3, 3)
    weight = nn.Parameter(torch.zeros(8, 4, 3, 3).to(memory_format=torch.channels_last))
    optimizer = Muon([weight])
    losses = []
    for step in range(100):
        optimizer.param_groups[0]["lr"] = torch.tensor(0.1 * (1 - step / 100))
        weight.grad = (weight - target).detach()
        losses.append(float(weight.grad.square().mean()))
        optimizer.step()
    assert losses[-1] < 0.05 * losses[0]
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_convolutions_go_to_muon_and_pixels_biases_and_priors_to_adam() -> None:
    codec = codecs.build("small")
    parts = CodecOptimizer(codec)._parts
    muon, adam = ({id(p) for group in parts[name].param_groups for p in group["params"]} for name in ("muon", "adam"))
    assert not muon & adam
    assert muon | adam == {id(p) for p in codec.parameters() if p.requires_grad}
    names = {name: id(parameter) for name, parameter in codec.named_parameters()}
    assert names["g_a.2.weight"] in muon
    assert {names[name] for name in ("g_a.0.weight", "g_a.2.bias", "entropy_bottleneck.matrices.0")} <= adam


def test_a_step_moves_every_weight_by_about_its_rate() -> None:
    torch.manual_seed(0)
    codec = codecs.build("small").to(memory_format=torch.channels_last)
    optimizer, before = CodecOptimizer(codec), [parameter.detach().clone() for parameter in codec.parameters()]
    for parameter in optimizer.parameters:
        parameter.grad = torch.randn_like(parameter)
    optimizer.step(1e-3, torch.tensor(1.0))
    for parameter, old in zip(codec.parameters(), before, strict=True):
        if parameter.requires_grad:
            assert 1e-4 < (parameter - old).square().mean().sqrt() < 2e-3


def test_an_update_without_a_finite_gradient_changes_nothing() -> None:
    gradients = [1.0, 2.0, torch.nan, 3.0, -torch.inf, 4.0]
    ends = []
    for given in (gradients, [value for value in gradients if math.isfinite(value)]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(8, 16, 3), nn.Conv2d(16, 8, 3))
        updates = CodecOptimizer(network)
        for value in given:
            for weight in updates.parameters:
                weight.grad = torch.full_like(weight, 0.1 * value).add_(weight)
            updates.step(1e-3, torch.tensor(value))
        ends.append((updates.state_dict(), [weight.detach() for weight in network.parameters()]))
        assert (int(updates.skipped), int(updates.streak)) == (len(given) - 4, 0)
    torch.testing.assert_close(*ends, rtol=0, atol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
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
            updates.step(1e-3 * (step + 1), torch.tensor(torch.nan if step == 4 else 1.0, device="cuda"))
        moved.append([weight.detach().clone() for weight in network.parameters()])
    for a, b in zip(*moved, strict=True):
        torch.testing.assert_close(a, b)

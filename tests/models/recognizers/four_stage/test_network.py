"""All 24 networks are the published ones: keys, sizes, and what they compute with the same weights."""

import formula
import pytest
import torch

from models.recognizers.four_stage.network import COMBINATIONS, StrNet
from models.recognizers.four_stage.transformation import Tps

PARAMETERS = {
    "none-vgg-none-ctc": 5_568_805,
    "none-vgg-none-attn": 6_584_102,
    "none-vgg-bilstm-ctc": 8_451_621,
    "none-vgg-bilstm-attn": 9_148_710,
    "none-rcnn-none-ctc": 1_878_949,
    "none-rcnn-none-attn": 2_894_246,
    "none-rcnn-bilstm-ctc": 4_761_765,
    "none-rcnn-bilstm-attn": 5_458_854,
    "none-resnet-none-ctc": 44_282_885,
    "none-resnet-none-attn": 45_298_182,
    "none-resnet-bilstm-ctc": 47_165_701,
    "none-resnet-bilstm-attn": 47_862_790,
    "tps-vgg-none-ctc": 7_261_197,
    "tps-vgg-none-attn": 8_276_494,
    "tps-vgg-bilstm-ctc": 10_144_013,
    "tps-vgg-bilstm-attn": 10_841_102,
    "tps-rcnn-none-ctc": 3_571_341,
    "tps-rcnn-none-attn": 4_586_638,
    "tps-rcnn-bilstm-ctc": 6_454_157,
    "tps-rcnn-bilstm-attn": 7_151_246,
    "tps-resnet-none-ctc": 45_975_277,
    "tps-resnet-none-attn": 46_990_574,
    "tps-resnet-bilstm-ctc": 48_858_093,
    "tps-resnet-bilstm-attn": 49_555_182,
}
"""Of the published implementation with 36 characters."""

COMPUTED = {
    "none-vgg-none-ctc": (-2.21321, 1.20501, 530.0084),
    "none-vgg-none-attn": (0.14515, 0.65979, 18.3228),
    "none-vgg-bilstm-ctc": (-0.47851, -0.06266, 92.1172),
    "none-vgg-bilstm-attn": (0.47925, -0.16896, 8.7884),
    "none-rcnn-none-ctc": (2.78073, 0.16342, 1257.6475),
    "none-rcnn-none-attn": (0.05433, 0.13104, 32.9366),
    "none-rcnn-bilstm-ctc": (-0.36814, 1.16543, 539.8234),
    "none-rcnn-bilstm-attn": (-0.32482, -0.46744, 78.6365),
    "none-resnet-none-ctc": (13.84962, 6.36786, 1867279.8750),
    "none-resnet-none-attn": (0.72781, 0.33448, 5.1074),
    "none-resnet-bilstm-ctc": (0.78258, 0.07936, 328.6469),
    "none-resnet-bilstm-attn": (0.02115, -0.18503, 21.8928),
    "tps-vgg-none-ctc": (-1.25736, 0.76070, 256.0936),
    "tps-vgg-none-attn": (0.10421, 0.51882, 14.2178),
    "tps-vgg-bilstm-ctc": (-0.31532, -0.01204, 61.7715),
    "tps-vgg-bilstm-attn": (0.41943, -0.04178, 5.2027),
    "tps-rcnn-none-ctc": (2.44398, 0.32042, 639.7505),
    "tps-rcnn-none-attn": (0.06033, 0.04369, 17.3293),
    "tps-rcnn-bilstm-ctc": (-0.35493, 0.77039, 242.3585),
    "tps-rcnn-bilstm-attn": (-0.39548, -0.45500, 41.7050),
    "tps-resnet-none-ctc": (9.90834, 4.40108, 1240014.0000),
    "tps-resnet-none-attn": (0.72580, 0.33799, 9.8179),
    "tps-resnet-bilstm-ctc": (0.65077, 0.10974, 486.6935),
    "tps-resnet-bilstm-attn": (0.06306, -0.17381, 8.4893),
}
"""By the published implementation with 64 channels, 32 hidden units, weights and images by formula: two scores, and the
norm of the gradient of all scores' squares with respect to the images."""
COMPUTED_AT_FULL_SIZE = {
    ("tps-resnet-bilstm-attn", 38): (0.17989, -0.05009, 40.7015),
    ("tps-resnet-bilstm-attn", 96): (-0.04804, 0.33621, 40.9991),
    ("tps-vgg-none-ctc", 37): (-1.19189, -0.34273, 275.6873),
}


def classes_of(name: str) -> int:
    """With 36 characters."""
    return 37 if name.endswith("ctc") else 38


def on_meta(name: str) -> StrNet:
    with torch.device("meta"):
        return StrNet(COMBINATIONS[name], classes_of(name))


def computed(name: str, classes: int, channels: int, hidden: int) -> tuple[float, float, float]:
    network = StrNet(COMBINATIONS[name], classes, channels, hidden).eval()
    formula.fill(network.state_dict())
    images = formula.images(2).requires_grad_()
    scores = network(images, *([formula.before(2, classes)] if name.endswith("attn") else []))
    (gradient,) = torch.autograd.grad(scores.square().sum(), images)
    return scores[0, 3, 5].item(), scores[1, -1, -1].item(), gradient.norm().item()


def agree(name: str, found: tuple[float, ...], expected: tuple[float, ...]) -> None:
    # A spline's samples change their pixel by a float's last bit: noise of 1e-6 moves the gradient by up to 1 %.
    of_gradient = 1e-2 if name.startswith("tps") else 1e-3
    assert found[:2] == pytest.approx(expected[:2], rel=1e-3, abs=1e-4)
    assert found[2] == pytest.approx(expected[2], rel=of_gradient)


def test_there_are_24_networks() -> None:
    assert COMBINATIONS.keys() == PARAMETERS.keys()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_parameters_are_the_published_networks(name: str) -> None:
    assert sum(parameter.numel() for parameter in on_meta(name).parameters()) == PARAMETERS[name]


def test_keys_are_those_of_the_released_checkpoints() -> None:
    keys = on_meta("tps-resnet-bilstm-attn").state_dict().keys()
    assert len(keys) == 252
    assert keys >= {
        "Transformation.LocalizationNetwork.conv.13.num_batches_tracked",
        "Transformation.LocalizationNetwork.localization_fc1.0.weight",
        "Transformation.LocalizationNetwork.localization_fc2.bias",
        "Transformation.GridGenerator.inv_delta_C",
        "Transformation.GridGenerator.P_hat",
        "FeatureExtraction.ConvNet.conv0_2.weight",
        "FeatureExtraction.ConvNet.layer3.0.downsample.1.running_var",
        "FeatureExtraction.ConvNet.bn4_2.bias",
        "SequenceModeling.1.rnn.weight_hh_l0_reverse",
        "SequenceModeling.0.linear.weight",
        "Prediction.attention_cell.i2h.weight",
        "Prediction.attention_cell.h2h.bias",
        "Prediction.attention_cell.score.weight",
        "Prediction.attention_cell.rnn.weight_ih",
        "Prediction.generator.bias",
    }
    recurrent = on_meta("none-rcnn-none-ctc").state_dict().keys()
    assert len(recurrent) == 412
    assert recurrent >= {"FeatureExtraction.ConvNet.7.GRCL.4.BN_Gx.weight", "FeatureExtraction.ConvNet.3.wgf_u.weight"}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_network_computes_what_the_published_network_does(name: str) -> None:
    agree(name, computed(name, classes_of(name), 64, 32), COMPUTED[name])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "classes"), COMPUTED_AT_FULL_SIZE)
def test_so_it_does_at_full_size(name: str, classes: int) -> None:
    agree(name, computed(name, classes, 512, 256), COMPUTED_AT_FULL_SIZE[name, classes])


def test_a_spline_through_straight_edges_changes_nothing() -> None:
    tps = Tps(32, 100)
    grid = tps.GridGenerator(formula.EDGES.unsqueeze(0))
    y, x = ((2 * torch.arange(size) + 1) / size - 1 for size in (32, 100))
    assert torch.allclose(grid[0, :, 0, 1], y, atol=1e-4)
    assert torch.allclose(grid[0, 0, :, 0], x, atol=1e-4)


def test_a_network_that_is_frozen_passes_gradients_through_its_lstms() -> None:
    """On a GPU cuDNN refuses in evaluation mode; no statistics may move for it."""
    network = StrNet(COMBINATIONS["none-vgg-bilstm-ctc"], 37, 64, 32).eval()
    lstms = [module for module in network.modules() if isinstance(module, torch.nn.LSTM)]
    assert lstms == [module for module in network.modules() if module.training]


def test_greedy_decoding_is_teacher_forcing_with_its_own_choices() -> None:
    network = StrNet(COMBINATIONS["none-vgg-none-attn"], 38, 64, 32).eval()
    formula.fill(network.state_dict())
    images = formula.images(3)
    scores = network.greedy(images, 8)
    given = torch.cat([torch.zeros(3, 1, dtype=torch.long), scores.argmax(2)[:, :-1]], 1)
    assert torch.allclose(network(images, given), scores, atol=1e-5)

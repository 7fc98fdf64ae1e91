"""The four-stage framework of Baek et al., "What is wrong with scene text recognition model comparisons?" (ICCV 2019),
with the module names of its released checkpoints."""

from itertools import product
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn

from models.recognizers.four_stage.features import Rcnn, ResNet, Vgg
from models.recognizers.four_stage.prediction import AttentionDecoder
from models.recognizers.four_stage.transformation import Tps

HEIGHT, WIDTH = 32, 100
"""Pixels of the images that the released checkpoints read."""
TRANSFORMATIONS = ("none", "tps")
FEATURES = {"vgg": Vgg, "rcnn": Rcnn, "resnet": ResNet}
SEQUENCES = ("none", "bilstm")
PREDICTIONS = ("ctc", "attn")


class Stages(NamedTuple):
    """One choice for each stage."""

    transformation: str
    features: str
    sequence: str
    prediction: str


COMBINATIONS = {
    "-".join(stages): Stages(*stages) for stages in product(TRANSFORMATIONS, FEATURES, SEQUENCES, PREDICTIONS)
}
"""All 24 by name: `tps-resnet-bilstm-attn`, ..."""


class StrNet(nn.Module):
    """Grey line images -> one score for each class at each step."""

    def __init__(self, stages: Stages, classes: int, channels: int = 512, hidden: int = 256) -> None:
        """`channels` are the features', `hidden` the LSTMs'; the defaults are the published networks'."""
        super().__init__()
        has_tps, has_lstm = stages.transformation == "tps", stages.sequence == "bilstm"
        self.Transformation = Tps(HEIGHT, WIDTH) if has_tps else nn.Identity()
        self.FeatureExtraction = FEATURES[stages.features](channels)
        lstms = (_BiLstm(channels, hidden), _BiLstm(hidden, hidden)) if has_lstm else ()
        self.SequenceModeling = nn.Sequential(*lstms)
        width = hidden if has_lstm else channels
        predicts_attention = stages.prediction == "attn"
        self.Prediction = AttentionDecoder(width, hidden, classes) if predicts_attention else nn.Linear(width, classes)

    def forward(self, images: Float[Tensor, "b 1 h w"], *before: Int[Tensor, "b n"]) -> Float[Tensor, "b _t k"]:
        """Scores before the softmax; pixels range from -1 to 1.

        CTC: at each column; class 0 is the blank. Attention: at each step, given the class `before` it.
        """
        return self.Prediction(self.columns(images), *before)

    def greedy(self, images: Float[Tensor, "b 1 h w"], steps: int) -> Float[Tensor, "b _n k"]:
        """Class scores by attention, as `AttentionDecoder.greedy`."""
        assert isinstance(self.Prediction, AttentionDecoder), "CTC needs no steps"
        return self.Prediction.greedy(self.columns(images), steps)

    def columns(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b t c"]:
        """What prediction reads: features from left to right, w / 4 - 1 (VGG) or w / 4 + 1 of them."""
        features = self.FeatureExtraction(self.Transformation(images))
        return self.SequenceModeling(features.mean(2).transpose(1, 2))


class _BiLstm(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(channels, hidden, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(2 * hidden, hidden)

    def train(self, mode: bool = True) -> "_BiLstm":
        super().train(mode)
        # cuDNN passes gradients through an LSTM in training mode alone; without dropout, both modes compute the same.
        self.rnn.train()
        return self

    def forward(self, columns: Float[Tensor, "b t c"]) -> Float[Tensor, "b t d"]:
        # Of a transposed view, a CPU copies the weights for each line.
        return self.linear(self.rnn(columns)[0].contiguous())

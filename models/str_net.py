"""The None-VGG-BiLSTM-CTC network of Baek et al., "What is wrong with scene text recognition model
comparisons?" (ICCV 2019), with the module names of its released checkpoints."""

from jaxtyping import Float
from torch import Tensor, nn


class VggBiLstmCtc(nn.Module):
    """Grey line images -> one score for each class at each time step; 3.78 M parameters with 97 classes."""

    def __init__(self, classes: int, channels: int = 256, hidden: int = 256) -> None:
        super().__init__()
        self.FeatureExtraction = _Vgg(channels)
        self.SequenceModeling = nn.Sequential(_BiLstm(channels, hidden), _BiLstm(hidden, hidden))
        self.Prediction = nn.Linear(hidden, classes)

    def forward(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b t k"]:
        """Scores before the softmax, at w / 4 - 1 steps; class 0 is CTC's blank. Pixels range from -1 to 1."""
        columns = self.FeatureExtraction(images).mean(2).transpose(1, 2)
        return self.Prediction(self.SequenceModeling(columns))


class _Vgg(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        a, b, c, d = channels // 8, channels // 4, channels // 2, channels
        self.ConvNet = nn.Sequential(
            *(nn.Conv2d(1, a, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(b, c, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.MaxPool2d((2, 1))),
            *(nn.Conv2d(c, d, 3, padding=1, bias=False), nn.BatchNorm2d(d), nn.ReLU()),
            *(nn.Conv2d(d, d, 3, padding=1, bias=False), nn.BatchNorm2d(d), nn.ReLU(), nn.MaxPool2d((2, 1))),
            *(nn.Conv2d(d, d, 2), nn.ReLU()),
        )

    def forward(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c y x"]:
        return self.ConvNet(images)


class _BiLstm(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(channels, hidden, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(2 * hidden, hidden)

    def forward(self, columns: Float[Tensor, "b t c"]) -> Float[Tensor, "b t d"]:
        return self.linear(self.rnn(columns)[0])

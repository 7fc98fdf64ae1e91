"""Feature extraction of the four-stage framework: grey lines of 32 pixels -> columns of one pixel's height.

Module names are those of the released checkpoints. ReLUs work in place: a map of their own for what they give would
take a sixth of the time in which a CPU reads.
"""

from jaxtyping import Float
from torch import Tensor, nn

Pair = tuple[int, int]
"""Down and across."""
GRCL_STEPS = 5
"""Times that a recurrent convolution is applied."""


class Vgg(nn.Module):
    """The extractor of CRNN (Shi et al., TPAMI 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        a, b, c, d = channels // 8, channels // 4, channels // 2, channels
        self.ConvNet = nn.Sequential(
            nn.Conv2d(1, a, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(a, b, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(b, c, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(c, c, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(c, d, 3, padding=1, bias=False),
            nn.BatchNorm2d(d),
            nn.ReLU(inplace=True),
            nn.Conv2d(d, d, 3, padding=1, bias=False),
            nn.BatchNorm2d(d),
            nn.ReLU(inplace=True),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(d, d, 2),
            nn.ReLU(inplace=True),
        )

    def forward(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c y x"]:
        """x is w / 4 - 1."""
        return self.ConvNet(images)


class Rcnn(nn.Module):
    """The extractor of GRCNN (Wang and Hu, "Gated recurrent convolution neural network for OCR", NeurIPS 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        a, b, c, d = channels // 8, channels // 4, channels // 2, channels
        self.ConvNet = nn.Sequential(
            nn.Conv2d(1, a, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            _Grcl(a, a),
            nn.MaxPool2d(2),
            _Grcl(a, b),
            _halve_height(),
            _Grcl(b, c),
            _halve_height(),
            nn.Conv2d(c, d, 2, bias=False),
            nn.BatchNorm2d(d),
            nn.ReLU(inplace=True),
        )

    def forward(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c y x"]:
        """x is w / 4 + 1."""
        return self.ConvNet(images)


class _Grcl(nn.Module):
    """A convolution applied to its own output again and again, beside one of the input; a gate weighs the first."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.wgf_u = nn.Conv2d(channels, width, 1, bias=False)
        self.wgr_x = nn.Conv2d(width, width, 1, bias=False)
        self.wf_u = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.wr_x = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.BN_x_init = nn.BatchNorm2d(width)
        self.GRCL = nn.Sequential(*(_GrclStep(width) for _ in range(GRCL_STEPS)))

    def forward(self, u: Float[Tensor, "b _c h w"]) -> Float[Tensor, "b _d h w"]:
        gate, forth = self.wgf_u(u), self.wf_u(u)
        x = self.BN_x_init(forth).relu()
        for step in self.GRCL:
            x = step(gate, self.wgr_x(x), forth, self.wr_x(x))
        return x


class _GrclStep(nn.Module):
    """One application of the convolution, with batch statistics of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.BN_gfu, self.BN_grx = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.BN_fu, self.BN_rx = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.BN_Gx = nn.BatchNorm2d(width)

    def forward(
        self,
        gate_u: Float[Tensor, "b c h w"],
        gate_x: Float[Tensor, "b c h w"],
        u: Float[Tensor, "b c h w"],
        x: Float[Tensor, "b c h w"],
    ) -> Float[Tensor, "b c h w"]:
        gate = (self.BN_gfu(gate_u) + self.BN_grx(gate_x)).sigmoid()
        return (self.BN_fu(u) + self.BN_Gx(self.BN_rx(x) * gate)).relu()


class ResNet(nn.Module):
    """The extractor of FAN (Cheng et al., "Focusing attention", ICCV 2017), 29 layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        a, b, c, d, e = channels // 16, channels // 8, channels // 4, channels // 2, channels
        layers = {
            **_unit("0_1", 1, a),
            **_unit("0_2", a, b),
            "pool1": nn.MaxPool2d(2),
            "layer1": _blocks(b, c, 1),
            **_unit("1", c, c),
            "pool2": nn.MaxPool2d(2),
            "layer2": _blocks(c, d, 2),
            **_unit("2", d, d),
            "pool3": _halve_height(),
            "layer3": _blocks(d, e, 5),
            **_unit("3", e, e),
            "layer4": _blocks(e, e, 3),
            **_unit("4_1", e, e, 2, stride=(2, 1), padding=(0, 1)),
            **_unit("4_2", e, e, 2, padding=(0, 0)),
        }
        self.ConvNet = nn.Sequential()
        for name, layer in layers.items():
            self.ConvNet.add_module(name, layer)

    def forward(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c y x"]:
        """x is w / 4 + 1."""
        return self.ConvNet(images)


def _unit(
    name: str, channels: int, width: int, side: int = 3, stride: Pair = (1, 1), padding: Pair = (1, 1)
) -> dict[str, nn.Module]:
    convolution = nn.Conv2d(channels, width, side, stride, padding, bias=False)
    return {f"conv{name}": convolution, f"bn{name}": nn.BatchNorm2d(width), f"relu{name}": nn.ReLU(inplace=True)}


def _blocks(channels: int, width: int, count: int) -> nn.Sequential:
    return nn.Sequential(_Block(channels, width), *(_Block(width, width) for _ in range(count - 1)))


def _halve_height() -> nn.MaxPool2d:
    return nn.MaxPool2d(2, (2, 1), (0, 1))


class _Block(nn.Module):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = nn.Identity()
        if channels != width:
            self.downsample = nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Float[Tensor, "b _c h w"]) -> Float[Tensor, "b _d h w"]:
        y = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(y)) + self.downsample(x)).relu()

from collections.abc import Sequence
from typing import Any

from compressai.models.base import CompressionModel
from torch import nn

class FactorizedPrior(CompressionModel):
    g_a: nn.Module
    g_s: nn.Module
    def __init__(self, N: int, M: int) -> None: ...

class ScaleHyperprior(CompressionModel):
    g_a: nn.Module
    g_s: nn.Module
    h_a: nn.Module
    h_s: nn.Module
    def __init__(self, N: int, M: int) -> None: ...

class MeanScaleHyperprior(ScaleHyperprior): ...

class JointAutoregressiveHierarchicalPriors(MeanScaleHyperprior):
    N: int
    M: int
    entropy_parameters: nn.Module

class Cheng2020Anchor(JointAutoregressiveHierarchicalPriors):
    def __init__(self, N: int) -> None: ...

class Cheng2020Attention(Cheng2020Anchor): ...

class Elic2022Official(CompressionModel):
    g_a: nn.Module
    g_s: nn.Module
    latent_codec: nn.Module
    def __init__(self, N: int, M: int, groups: Sequence[int]) -> None: ...

def __getattr__(name: str) -> Any: ...

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

SCALES_MIN: float
SCALES_MAX: float
SCALES_LEVELS: int

class CompressionModel(nn.Module):
    def __init__(self) -> None: ...
    # Without `assign`, which nn.Module's has.
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Any: ...  # type: ignore[override]
    def update(
        self, scale_table: Tensor | None = None, force: bool = False, update_quantiles: bool = False
    ) -> bool: ...
    def aux_loss(self) -> Tensor: ...

def get_scale_table(min: float = ..., max: float = ..., levels: int = ...) -> Tensor: ...

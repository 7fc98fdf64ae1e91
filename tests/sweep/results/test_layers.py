from typing import Any

import pytest
from rows import frame

from sweep.results.layers import Layers, layers


def row(kind: str, bpp: float, accuracy: float, psnr_db: float) -> dict[str, Any]:
    figures = {"bpp": bpp, "accuracy": accuracy, "psnr_db": psnr_db}
    return {"point_id": f"{kind} {bpp}", "kind": kind, "status": "complete", **figures}


def test_two_layers_stand_beside_one_image_of_their_rate() -> None:
    base = row("base", 0.05, 0.2, 20.0), row("base", 0.2, 0.6, 26.0)
    [found] = layers(frame(*base, row("tfic", 0.05, 0.7, 12.0)))
    assert found == pytest.approx(Layers(0.1, 0.05, 0.7, 0.4, 20.0, 23.0))


def test_a_rate_that_the_base_curve_does_not_reach_is_left_out() -> None:
    assert layers(frame(row("base", 0.05, 0.2, 20.0), row("tfic", 0.05, 0.7, 12.0))) == []
    assert layers(frame(row("tfic", 0.05, 0.7, 12.0))) == []

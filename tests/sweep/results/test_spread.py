from typing import Any

import pytest
from rows import frame

from sweep.results import spread


def trained(seed: int, rate_weight: float, bpp: float, accuracy: float) -> dict[str, Any]:
    named = {"point_id": f"{seed} {rate_weight}", "kind": "tfic", "status": "complete", "seed": seed}
    return named | {"lambda": rate_weight, "beta": 0.01, "bpp": bpp, "accuracy": accuracy}


def test_points_of_several_seeds_have_a_mean_and_a_deviation() -> None:
    table = frame(trained(0, 0.1, 0.1, 0.5), trained(1, 0.1, 0.2, 0.7), trained(0, 0.2, 0.3, 0.8))
    [found] = spread.of_points(table).iter_rows(named=True)
    assert (found["lambda"], found["seeds"], found["bpp"], found["accuracy"]) == pytest.approx((0.1, 2, 0.15, 0.6))
    assert (found["bpp_std"], found["accuracy_std"]) == pytest.approx((0.05 * 2**0.5, 0.1 * 2**0.5))


def test_hypervolumes_of_seeds_are_of_the_same_points() -> None:
    table = frame(trained(0, 0.1, 0.1, 0.5), trained(1, 0.1, 0.2, 0.5), trained(0, 0.2, 0.3, 0.8))
    assert spread.hypervolumes(table) == pytest.approx([0.4 * 0.5, 0.3 * 0.5])
    assert "Between 2 seeds" in spread.said(table)


def test_one_seed_says_nothing_of_chance() -> None:
    assert spread.said(frame(trained(0, 0.1, 0.1, 0.5))) == ""

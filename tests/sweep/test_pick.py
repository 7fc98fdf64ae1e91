import polars as pl
import pytest

from sweep import pick
from sweep.errors import SweepError

FRONT = pl.DataFrame({"point_id": ["a", "b", "c"], "bpp": [0.05, 0.1, 0.2], "accuracy": [0.3, 0.6, 0.8]})


@pytest.mark.parametrize(("max_bpp", "chosen"), [(0.05, "a"), (0.15, "b"), (9.0, "c")])
def test_the_most_accurate_point_within_the_rate_is_chosen(max_bpp: float, chosen: str) -> None:
    assert pick.choose(FRONT, max_bpp)["point_id"] == chosen


def test_a_rate_below_every_point_is_refused_with_the_smallest() -> None:
    with pytest.raises(SweepError, match=r"0\.0500"):
        pick.choose(FRONT, 0.01)


def test_an_empty_front_is_named() -> None:
    with pytest.raises(SweepError, match="the front is empty"):
        pick.choose(FRONT.clear(), 1.0)

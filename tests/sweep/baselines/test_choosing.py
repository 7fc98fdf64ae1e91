"""What is left unread could not have been on the envelope, as far as accuracy rises with a curve's rate."""

from itertools import groupby

import pytest

from models.baselines.base import Baseline
from models.baselines.few_greys import GROUP_4, OTSU, FewGreys
from models.baselines.lossy import JPEG, WEBP, LossyCodec
from sweep.baselines import choosing
from sweep.baselines.points import Point
from sweep.results.pareto import Objectives, on_front
from sweep.results.points import RATES

MOST = 0.9
HEADERS = {"webp": 0.013, "jpeg": 0.15, "otsu-g4": 0.04}


def settings() -> list[Baseline]:
    lossy = [LossyCodec(form, True, 1, quality) for form in (WEBP, JPEG) for quality in form.qualities]
    return [*(FewGreys(OTSU, GROUP_4, divisor) for divisor in (1, 1.5, 2, 3, 4)), *lossy]


def point(codec: Baseline) -> Point:
    """A curve that saturates: JPEG at five times WebP's rate."""
    if isinstance(codec, FewGreys):
        own, accuracy = 0.15 / codec.divisor**1.3, 0.7 - 0.1 * (codec.divisor - 1)
    else:
        quality = codec.quality / 100 if isinstance(codec, LossyCodec) else 0
        own = (0.05 + quality) * (5 if codec.name.startswith("jpeg") else 1)
        accuracy = MOST * min(1, (0.02 + quality) / 0.5)
    header = next(size for name, size in HEADERS.items() if codec.name.startswith(name))
    return Point(codec.name, codec.setting, 1, own + header, own, accuracy, None, 1.0, 0.0, None)


def rates(codec: Baseline) -> choosing.Rates:
    return {counting: point(codec).rate(counting) for counting in RATES}


def test_exploring_finds_the_envelope_and_leaves_the_hopeless_unread() -> None:
    found = [seen for _, seen in choosing.explore(settings(), rates, point, MOST)]
    every = [point(codec) for codec in settings()]
    for counting in RATES:
        kept = on_front([Objectives(each.rate(counting), each.accuracy) for each in every])
        assert {each for each, keep in zip(every, kept, strict=True) if keep} <= {*found}
    assert len(found) < len(every)
    read = {name: len(list(group)) for name, group in groupby(found, lambda each: each.name)}
    assert read.get("jpeg-grey", 0) <= 2


def test_nothing_is_read_below_what_cannot_be_read() -> None:
    tried = list[str]()

    def unreadable(codec: Baseline) -> Point:
        tried.append(codec.setting)
        return point(codec)._replace(accuracy=0.01)

    choosing.explore([LossyCodec(WEBP, True, 1, quality) for quality in (1, 50, 90)], rates, unreadable, MOST)
    assert tried == ["q90"]


@pytest.mark.parametrize(("slack", "expected"), [(0.0, {"a", "c"}), (0.1, {"a", "b", "c"})])
def test_points_near_the_envelope_are_promising(slack: float, expected: set[str]) -> None:
    found = [
        Point(name, "q1", 1, bpp, bpp, accuracy, None, 1.0, 0.0, None)
        for name, bpp, accuracy in (
            ("a", 0.1, 0.5),
            ("b", 0.15, 0.45),
            ("c", 0.3, 0.9),
            ("d", 0.6, 0.9),
            ("e", 0.01, 0.0),
        )
    ]
    assert {each.name for each in choosing.promising(found, MOST, slack=slack, step=1.1)} == expected


def test_of_neighboring_rates_one_goes_on() -> None:
    found = [Point("a", f"q{n}", 1, 0.1 + n / 1e4, 0.1, 0.5 + n / 1e3, None, 1.0, 0.0, None) for n in range(9)]
    assert choosing.promising(found, MOST, slack=1, step=1.5) == found[-1:]

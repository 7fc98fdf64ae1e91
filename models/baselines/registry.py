"""All baselines, the strongest first."""

from collections.abc import Callable
from itertools import product

from models.baselines.base import Baseline
from models.baselines.few_greys import FOUR_GREYS, GROUP_4, OTSU, PNG, SAUVOLA, WEBP, FewGreys
from models.baselines.lossy import WEBP as WEBP_LOSSY
from models.baselines.lossy import LossyCodec, formats

BILEVEL_DIVISORS = (1, 1.5, 2, 2.5, 3, 4)
DIVISORS = (1, 2, 3, 4)


def baselines() -> list[Baseline]:
    """Every format, color, size and quality whose best at each rate makes the envelope."""
    return [*_few_greys(), *_lossy()]


def few() -> list[Baseline]:
    """The two strongest formats at two sizes, for a look in seconds."""
    lossy = product((True,), (1, 2), (10, 40, 80))
    return [
        *(FewGreys(OTSU, GROUP_4, divisor) for divisor in (1, 2)),
        *(LossyCodec(WEBP_LOSSY, *parts) for parts in lossy),
    ]


def _few_greys() -> list[Baseline]:
    bilevel = product((OTSU, SAUVOLA), (GROUP_4, WEBP, PNG), BILEVEL_DIVISORS)
    greys = product((FOUR_GREYS,), (WEBP, PNG), DIVISORS)
    return [FewGreys(*parts) for parts in (*bilevel, *greys)]


def _lossy() -> list[Baseline]:
    return [
        LossyCodec(form, grey, divisor, quality)
        for form, grey, divisor in product(formats(), (True, False), DIVISORS)
        for quality in form.qualities
    ]


SETS: dict[str, Callable[[], list[Baseline]]] = {"all": baselines, "few": few}

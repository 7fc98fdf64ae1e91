import random

import numpy as np

from datagen import effects, surroundings
from datagen.lines import Look

CANVAS = (64, 256)
TEXT = (30, 200)
LOOK = Look(skew=3, perspective=0.05, curvature=0.1, color=0)


def placed(seed: int, share: float = 0.6) -> effects.Placement:
    return effects.place(TEXT, CANVAS, share, LOOK, random.Random(seed))


def covered(placement: effects.Placement) -> np.ndarray:
    """Pixels of a text that is a full box."""
    return effects.warp(np.full((*TEXT, 1), 255, np.uint8), placement, CANVAS) > 0


def test_a_panel_lies_under_the_whole_text() -> None:
    under = np.random.default_rng(0).integers(0, 256, (*CANVAS, 3), np.uint8)
    for seed in range(8):
        placement = placed(seed)
        painted = surroundings.panel(under, TEXT, placement, LOOK, random.Random(seed))
        assert len(np.unique(painted[covered(placement)], axis=0)) == 1
        assert (painted == under).all(2).any()


def test_a_frame_stands_around_the_text_and_touches_it_not() -> None:
    for seed in range(8):
        placement = placed(seed)
        box = covered(placement)
        lines = surroundings.framed(np.zeros(CANVAS, np.uint8), TEXT, placement, random.Random(seed)) > 0
        assert lines.any()
        assert not (lines & box).any()
        assert (surroundings.framed(255 * box.astype(np.uint8), TEXT, placement, random.Random(seed)) > 0)[box].all()


def test_no_upright_of_a_frame_stands_alone_beside_a_text() -> None:
    cover, high = np.zeros(CANVAS, np.uint8), (30, 60)
    placement = effects.place(high, CANVAS, 1.0, Look(skew=0, perspective=0, curvature=0), random.Random(0))
    assert not any(surroundings.framed(cover, high, placement, random.Random(seed)).any() for seed in range(20))


def test_too_little_of_a_neighboring_line_is_seen_to_be_read() -> None:
    line, seen = np.full((24, 200), 255, np.uint8), []
    for seed in range(40):
        placement = placed(seed)
        other = surroundings.beside(line, TEXT, placement, CANVAS, random.Random(seed)) > 0
        assert not (other & covered(placement)).any()
        seen.append(other.sum(0).max() / (len(line) * placement.scale))
    assert max(seen) < 0.6
    assert sum(share > 0.1 for share in seen) > 15


def test_a_text_that_fills_the_canvas_has_no_neighbor() -> None:
    tight = effects.place((64, 256), CANVAS, 1.0, Look(skew=0, perspective=0, curvature=0), random.Random(0))
    assert not surroundings.beside(np.full((24, 200), 255, np.uint8), (64, 256), tight, CANVAS, random.Random(0)).any()

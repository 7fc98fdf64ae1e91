import random

import cv2
import numpy as np

from datagen import printing

BLOCK = np.full((60, 120), 255, np.uint8)
STROKES = np.zeros((64, 200), np.uint8)
STROKES[:, 20:190:20] = 255
"""One pixel wide."""


def test_a_block_is_printed_as_dots_with_gaps() -> None:
    for seed in range(6):
        dots = printing.dotted(BLOCK, 6.0, random.Random(seed))
        assert dots.shape == BLOCK.shape
        rows = (dots.mean(1) > dots.mean(1).mean()).astype(int)
        assert (np.diff(rows) == 1).sum() + rows[0] == 10
        assert 0.3 < dots.mean() / 255 < 0.95


def test_dots_stand_where_the_glyphs_are_and_thin_strokes_have_some() -> None:
    near = cv2.dilate(STROKES, np.ones((9, 9)))
    for seed in range(6):
        dots = printing.dotted(STROKES, 4.0, random.Random(seed))
        assert not dots[near == 0].any()
        assert (dots[:, 15:195].max(0).reshape(9, 20).max(1) > 100).all()


def test_worn_print_has_less_ink_and_never_more() -> None:
    kept = [printing.worn(BLOCK, random.Random(seed)) for seed in range(30)]
    assert all((left <= BLOCK).all() for left in kept)
    assert all(0.3 < left.mean() / 255 < 0.999 for left in kept)
    assert len({left.tobytes() for left in kept}) == 30

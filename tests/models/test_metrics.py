import pytest
import torch

from models import metrics


@pytest.mark.parametrize(
    ("read", "truth", "expected"),
    [
        ("word", "word", 1.0),
        ("w-o.r d", "word", 1.0),
        ("", "", 1.0),
        ("", "word", 0.0),
        ("wordwide", "word", 0.5),
        ("ward", "word", 0.75),
        ("Word", "word", 0.75),
        ("~~", "!", 1.0),
    ],
)
def test_accuracy_is_the_papers(read: str, truth: str, expected: float) -> None:
    assert metrics.accuracy(read, truth) == pytest.approx(expected)


def test_mean_accuracy_weighs_images_alike() -> None:
    assert metrics.mean_accuracy(["a", "xxxxxxxxxx"], ["a", "yyyyyyyyyy"]) == 0.5


def test_character_error_rate_weighs_characters_alike() -> None:
    assert metrics.character_error_rate(["a", "xbcdefghi"], ["a", "abcdefghi"]) == pytest.approx(0.1)


def test_psnr_of_a_known_error() -> None:
    image = torch.zeros(2, 3, 4, 4)
    assert metrics.psnr_db(image + 0.1, image).tolist() == pytest.approx([20.0, 20.0], abs=1e-4)

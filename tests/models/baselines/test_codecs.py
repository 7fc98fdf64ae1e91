"""Baselines keep size and look of an image; bilevel ones find the ink, be it dark or light."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.dataset import TextImages
from models.baselines import thresholds
from models.baselines.few_greys import FOUR_GREYS, GROUP_4, OTSU, PNG, SAUVOLA, WEBP, FewGreys, Lossless, Reduction
from models.baselines.lossy import Format, LossyCodec, formats
from models.baselines.registry import baselines


def lettering(ink: int, ground: int) -> np.ndarray:
    picture = Image.new("RGB", (256, 64), (ground,) * 3)
    ImageDraw.Draw(picture).text((20, 10), "Words", fill=(ink,) * 3, font=ImageFont.load_default(40))
    return np.asarray(picture)


def test_every_setting_has_its_own_name() -> None:
    codecs = baselines()
    assert len({(codec.name, codec.setting) for codec in codecs}) == len(codecs)
    curves = {codec.name for codec in codecs}
    assert {"otsu-g4", "sauvola-g4", "four-greys-png", "webp-grey", "avif-color-1/2", "jpeg2000-grey-1/4"} <= curves


@pytest.mark.parametrize("form", formats(), ids=lambda form: form.name)
@pytest.mark.parametrize("divisor", [1, 3])
def test_a_lossy_file_keeps_size_and_look(form: Format, divisor: int, test_images: TextImages) -> None:
    image = test_images.images[0]
    for grey in (True, False):
        codec = LossyCodec(form, grey, divisor, form.qualities[-1])
        restored = codec.decode(codec.encode(image), image.shape[1], image.shape[0])
        assert restored.shape == image.shape
        assert np.abs(restored.astype(float).mean(2) - image.mean(2)).mean() < 25
        assert (restored[..., 0] == restored[..., 2]).all() == grey


@pytest.mark.parametrize("form", formats(), ids=lambda form: form.name)
def test_a_higher_quality_costs_more_and_is_nearer(form: Format, test_images: TextImages) -> None:
    image = test_images.images[1]
    sizes, errors = [], []
    for quality in (form.qualities[0], form.qualities[-1]):
        codec = LossyCodec(form, grey=False, divisor=1, quality=quality)
        file = codec.encode(image)
        sizes.append(len(file))
        errors.append(np.abs(codec.decode(file, 256, 64).astype(float) - image).mean())
    assert sizes[0] < sizes[1]
    assert errors[0] > errors[1]


@pytest.mark.parametrize("reduction", [OTSU, SAUVOLA, FOUR_GREYS], ids=lambda reduction: reduction.name)
def test_ink_is_dark_whatever_it_was(reduction: Reduction) -> None:
    codec = FewGreys(reduction, PNG, 1)
    dark, light = (codec.decode(codec.encode(lettering(*greys)), 256, 64) for greys in ((40, 200), (200, 40)))
    ink = lettering(0, 255)[..., 0] < 128
    for restored in (dark, light):
        assert ((restored[..., 0] < 128) == ink).mean() > 0.97


@pytest.mark.parametrize("lossless", [GROUP_4, WEBP, PNG], ids=lambda lossless: lossless.name)
def test_two_greys_come_back_as_they_were(lossless: Lossless, test_images: TextImages) -> None:
    codec = FewGreys(OTSU, lossless, 1)
    for image in test_images.images[:4]:
        grey = np.asarray(Image.fromarray(image).convert("L"))
        restored = codec.decode(codec.encode(image), 256, 64)
        assert np.array_equal(restored[..., 0] == 0, thresholds.ink(grey, thresholds.otsu))


@pytest.mark.parametrize("lossless", [WEBP, PNG], ids=lambda lossless: lossless.name)
def test_four_greys_come_back_as_they_were(lossless: Lossless, test_images: TextImages) -> None:
    grey = np.asarray(Image.fromarray(test_images.images[0]).convert("L"))
    codec = FewGreys(FOUR_GREYS, lossless, 1)
    restored = codec.decode(codec.encode(test_images.images[0]), 256, 64)
    assert np.array_equal(restored[..., 1], 85 * thresholds.four_levels(grey))


def test_a_g4_file_is_smaller_than_libtiffs_own() -> None:
    image = lettering(0, 255)
    file = FewGreys(OTSU, GROUP_4, 1).encode(image)
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] > 128).save(buffer, "TIFF", compression="group4")
    assert len(file) < len(buffer.getvalue())


def test_a_flat_image_is_all_ground() -> None:
    flat = np.full((64, 256, 3), 90, np.uint8)
    for reduction in (OTSU, SAUVOLA):
        codec = FewGreys(reduction, GROUP_4, 2)
        assert (codec.decode(codec.encode(flat), 256, 64) == 255).all()


def test_sauvola_finds_what_a_shadow_hides_from_otsu() -> None:
    shadow = np.linspace(1, 0.25, 256)[None, :, None]
    image = (lettering(60, 220) * shadow).astype(np.uint8)
    ink = lettering(0, 255)[..., 0] < 128
    wrong = {}
    for reduction in (OTSU, SAUVOLA):
        codec = FewGreys(reduction, PNG, 1)
        wrong[reduction.name] = ((codec.decode(codec.encode(image), 256, 64)[..., 0] < 128) != ink).mean()
    assert wrong["sauvola"] < 0.05 < wrong["otsu"]

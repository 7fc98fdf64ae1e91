"""Baselines on a real data set, read by a real recognizer."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from datagen import dataset
from datagen.dataset import TextImages
from models.baselines.few_greys import GROUP_4, OTSU, PNG, FewGreys
from models.baselines.lossy import JPEG, JPEG_STANDARD, WEBP, LossyCodec
from models.baselines.text import TextCoder
from models.metrics import accuracy
from models.recognizers.base import Transcription
from models.recognizers.ctc_attention import CtcRecognizer
from sweep.baselines import cache, points, run
from sweep.baselines.measuring import ReadOnce, encode, measure, measure_text
from sweep.baselines.points import Reading
from sweep.baselines.run import Job

FEW = [
    *(FewGreys(OTSU, lossless, divisor) for lossless in (GROUP_4, PNG) for divisor in (1, 2)),
    *(LossyCodec(WEBP, True, 2, quality) for quality in (1, 40)),
]
PIXELS = 64 * 256


def test_equal_images_are_read_once(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    reader = ReadOnce(recognizer)
    two = TextImages(test_images.images[:2], test_images.texts[:2])
    g4, png = (measure(FewGreys(OTSU, lossless, 1), two, 0, 2, reader) for lossless in (GROUP_4, PNG))
    assert reader.images_read == 2
    assert [each.read for each in g4] == [each.read for each in png]
    assert [each.bytes for each in g4] != [each.bytes for each in png]
    optimized, standard = (measure(LossyCodec(form, True, 4, 20), two, 0, 2, reader) for form in (JPEG, JPEG_STANDARD))
    assert reader.images_read == 4
    assert [each.accuracy for each in optimized] == [each.accuracy for each in standard]


def test_readings_are_of_real_files(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    codec = LossyCodec(WEBP, True, 1, 60)
    found = measure(codec, test_images, 1, 3, ReadOnce(recognizer))
    assert [each.image for each in found] == [1, 2]
    for each in found:
        file = codec.encode(test_images.images[each.image])
        assert (each.bytes, each.repeated) == (len(file), codec.repeated_bytes(file))
        assert each.truth == test_images.texts[each.image]
        assert each.accuracy == accuracy(each.read, each.truth)


def test_a_file_that_shares_nothing_pays_in_full(test_images: TextImages) -> None:
    codec = FewGreys(OTSU, PNG, 1)
    images = np.stack([*test_images.images[:2], test_images.images[2]])
    assert min(encode(codec, images).repeated) > 0

    class Other(FewGreys):
        def encode(self, image: np.ndarray) -> bytes:
            return FewGreys(OTSU, PNG, 2 if np.array_equal(image, images[2]) else 1).encode(image)

    assert encode(Other(OTSU, PNG, 1), images).repeated[2] == 0


def test_a_text_is_sent_in_a_few_bytes(test_images: TextImages) -> None:
    truths = iter([test_images.texts[0], *test_images.texts])
    found = measure_text(TextCoder(["total"]), lambda image: Transcription(next(truths), 0.5), test_images)
    assert [each.read for each in found] == test_images.texts
    assert {each.accuracy for each in found} == {1.0}
    assert all(0 < each.bytes < 2 * len(each.read) + 4 for each in found)


@pytest.fixture(scope="module")
def frame(data_folder: Path, recognizer: CtcRecognizer) -> pl.DataFrame:
    """Readings of few baselines and of the text itself."""
    val, test = (dataset.load(data_folder, split) for split in ("val", "test"))
    reader = ReadOnce(recognizer)

    def one_by_one(jobs: Sequence[Job]) -> Iterator[tuple[Job, list[Reading]]]:
        for codec, split, start, end in jobs:
            yield Job(codec, split, start, end), measure(codec, test if split == "test" else val, start, end, reader)

    measured = run.measured(run.explore(FEW, val, reader), val, test, one_by_one)
    return pl.concat([measured, run.texts("english_g2", test, reader, {}, ["total"])])


def test_a_reader_that_reads_nothing_leaves_nothing_to_measure(
    data_folder: Path, recognizer: CtcRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    val, test = (dataset.load(data_folder, split) for split in ("val", "test"))
    monkeypatch.setattr(recognizer, "read", lambda images: [Transcription("")] * len(images))
    explored = run.explore(FEW, val, ReadOnce(recognizer))
    found = run.measured(explored, val, test, lambda jobs: iter(pytest.fail("measured") for _ in jobs))
    assert (found.height, found.schema) == (0, points.SCHEMA)
    assert points.rows(found, PIXELS, seed=0) == []


def test_what_is_chosen_is_measured_on_both_splits_whole(frame: pl.DataFrame) -> None:
    images = frame.group_by("name", "setting", "split").len()
    assert dict(images.select("split", "len").unique().rows()) == {"val": 8, "test": 12}
    baselines = images.filter(~pl.col("name").str.starts_with(points.TEXT))
    assert baselines.filter(split="val").height == baselines.filter(split="test").height > 0


def test_a_row_of_the_table_has_both_countings_and_the_readings(frame: pl.DataFrame) -> None:
    rows = points.rows(frame, PIXELS, seed=3)
    g4 = next(row for row in rows if row.point_id == "otsu-g4 1/1")
    assert (g4.identity.kind, g4.codec, g4.identity.seed, g4.status) == ("classical", "otsu-g4", 3, "complete")
    assert g4.val is not None
    assert g4.val.bpp_own is not None
    assert 0 < g4.val.bpp_own < g4.val.bpp
    test = frame.filter(split="test", name="otsu-g4", setting="1/1")
    assert g4.measured.bpp == pytest.approx(8 * test["bytes"].mean() / PIXELS)  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]
    assert g4.measured.bpp_own == pytest.approx(8 * (test["bytes"] - test["repeated"]).mean() / PIXELS)  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]
    assert [each.read for each in g4.measured.readings] == test["read"].to_list()
    assert sum(each.repeated for each in g4.measured.readings) == test["repeated"].sum()


def test_the_text_itself_has_a_kind_of_its_own(frame: pl.DataFrame) -> None:
    [text] = [row for row in points.rows(frame, PIXELS, seed=0) if row.identity.kind == "text"]
    assert (text.point_id, text.val, text.measured.psnr_db) == ("text-english_g2 as read", None, None)
    assert text.measured.bpp < 0.02


def test_kept_readings_are_not_measured_again(frame: pl.DataFrame, tmp_path: Path) -> None:
    file = cache.path(tmp_path, "baselines", "digest")
    assert cache.kept(file, lambda: frame).equals(frame)
    assert cache.kept(file, lambda: pytest.fail("measured again")).equals(frame)


def test_readings_are_kept_by_all_that_decides_of_them(tmp_path: Path) -> None:
    kinds = {cache.path(tmp_path, kind, "digest") for kind in ("texts", "baselines")}
    others = {cache.path(tmp_path, "texts", *parts) for parts in (("other",), ("digest", ["tesseract"]))}
    assert len(kinds | others) == 4


def test_a_damaged_file_is_measured_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert cache.load(tmp_path / "none.parquet") is None
    assert not caplog.messages
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    assert cache.load(tmp_path / "damaged.parquet") is None
    assert "measured again" in caplog.text

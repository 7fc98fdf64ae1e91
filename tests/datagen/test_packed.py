"""Images and texts in Parquet files and LMDBs: none is lost, and what lacks is named."""

from pathlib import Path

import lmdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from datagen import packed, sources
from datagen.errors import DataError


def named(source: Path, *, labeled: bool = True) -> dict[str, object]:
    """Labels by name."""
    return {item.name: item.label for item in sources.find(source, labeled=labeled).items()}


def in_lmdb(folder: Path, numbers: range, **others: bytes) -> Path:
    """An LMDB with an image and a text of each number."""
    with lmdb.open(str(folder), map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        for number in numbers:
            transaction.put(b"image-%09d" % number, b"image")
            transaction.put(b"label-%09d" % number, b"%d" % number)
        for key, value in others.items():
            transaction.put(key.replace("_", "-").encode(), value)
    return folder


def test_parquet_needs_a_text_column_only_where_labels_are_asked_for(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"image": [b"image"], "width": [80]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet has no column text or label .*; it has image, width$"):
        sources.find(tmp_path)
    assert named(tmp_path, labeled=False) == {"a.parquet:0": None}


def test_parquet_whose_text_is_not_utf8_is_named_in_one_line(tmp_path: Path) -> None:
    offsets, letters = pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0])), pa.py_buffer(b"\xff")
    text = pa.StringArray.from_buffers(1, offsets, letters)
    parquet.write_table(pa.table({"image": [b"image"], "text": text}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=rf"^{tmp_path} cannot be read \('utf-8' codec .*\)$"):
        named(tmp_path)


def test_more_rows_than_are_read_at_a_time_come_in_order(tmp_path: Path) -> None:
    labels = [str(number) for number in range(2 * packed.ROWS + 1)]
    for name in ("a", "b"):
        parquet.write_table(
            pa.table({"label": labels, "image": [b"image"] * len(labels)}), tmp_path / f"{name}.parquet"
        )
    assert named(tmp_path) == {f"{name}.parquet:{label}": label for name in ("a", "b") for label in labels}


def test_parquet_may_hold_paths_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"image")
    parquet.write_table(pa.table({"file_name": ["a.png"], "text": ["word"]}), tmp_path / "metadata.parquet")
    [item] = sources.find(tmp_path).items()
    assert (item.read(), item.label) == (b"image", "word")


@pytest.mark.parametrize(("numbers", "count"), [(range(1, 4), 3), (range(3), 3), (range(3), 2), (range(1, 4), 2)])
def test_an_lmdb_counted_from_0_or_1_loses_no_image(numbers: range, count: int, tmp_path: Path) -> None:
    source = sources.find(in_lmdb(tmp_path, numbers, num_samples=b"%d" % count))
    assert source.total == 3
    assert [item.label for item in source.items()] == [b"%d" % number for number in numbers]
    assert [label for _, label in source.labels()] == [b"%d" % number for number in numbers]


def test_a_key_that_an_lmdb_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no key num-samples, .*; its keys are image-000000001"):
        sources.find(in_lmdb(tmp_path, range(1, 4)))
    with pytest.raises(DataError, match=r"neither of the keys image-000000000 and image-000000001"):
        sources.find(in_lmdb(tmp_path / "odd", range(7, 9), num_samples=b"2"))

"""What a source's items are: which files are read, which labels they have, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from datagen import sources
from datagen.errors import DataError, ItemError

LONG = "x" * 300
"""More than a file's name may have."""


def named(source: Path, *, labeled: bool = True) -> dict[str, object]:
    """Labels by name."""
    return {item.name: item.label for item in sources.find(source, labeled=labeled).items}


def fault(item: sources.Item) -> str:
    with pytest.raises(ItemError) as caught:
        item.read()
    return str(caught.value)


def in_table(file: Path) -> None:
    (file.parent / "a.png").write_bytes(b"image")
    file.write_text("a.png,word" if "csv" in file.name.casefold() else "a.png\tword")


def in_parquet(file: Path) -> None:
    parquet.write_table(pa.table({"image": [b"image"], "text": ["word"]}), file)


def in_name(file: Path) -> None:
    file.write_bytes(b"image")


@pytest.mark.parametrize(
    ("layout", "name"),
    [(in_table, "Labels.CSV"), (in_table, "GT.Tsv"), (in_parquet, "PART-0.PARQUET"), (in_name, "word_1.PNG")],
)
def test_endings_in_capitals_are_understood(layout: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    layout(tmp_path / name)
    for source in (tmp_path, tmp_path / name)[: 1 if layout is in_name else 2]:
        [item] = sources.find(source).items
        assert (item.label, item.read()) == ("word", b"image")


def test_a_path_that_leaves_the_folder_is_refused_and_no_other(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    for file in (tmp_path / "out.png", inside / "a_1.png"):
        file.write_bytes(b"image")
    (inside / "link_1.png").symlink_to("../out.png")
    (inside / "inner_1.png").symlink_to("a_1.png")
    (tmp_path / "link").symlink_to("inside")
    read = {item.name: item for item in sources.find(tmp_path / "link").items}
    assert "its path leaves the folder" in fault(read.pop("link_1.png"))
    assert {name: item.read() for name, item in read.items()} == {"a_1.png": b"image", "inner_1.png": b"image"}
    paths = ["../out.png", f"{tmp_path}/out.png", "link_1.png", f"{inside}/a_1.png", "../inside/a_1.png"]
    (inside / "labels.csv").write_text("".join(f"{path},word\n" for path in paths))
    *leaving, absolute, around = sources.find(inside / "labels.csv").items
    assert all("its path leaves the folder" in fault(item) for item in leaving)
    assert absolute.read() == around.read() == b"image"


def test_a_folder_with_two_names_is_read_once_and_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "word_1.png").write_bytes(b"image")
    (tmp_path / "deep" / "again").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to("deep")
    (tmp_path / "circle_1.png").symlink_to("circle_1.png")
    assert named(tmp_path) == {"deep/word_1.png": "word", "circle_1.png": "circle"}
    circle, _ = sources.find(tmp_path).items
    assert "symbolic links" in fault(circle)


def test_tables_do_not_matter_where_nobody_asks_for_labels(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "word_1.png"):
        (tmp_path / name).write_bytes(b"c.png,word")
    assert named(tmp_path, labeled=False) == {"word_1.png": None}


@pytest.mark.parametrize(("name", "advice"), [("a.csv", "do so, or quote texts that hold a ','"), ("a.tsv", "do so")])
def test_a_table_of_more_columns_than_its_first_line_names_is_refused(name: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(sources.SEPARATORS[(tmp_path / name).suffix].join(("a.png", "one", "two")))
    with pytest.raises(DataError, match=rf"has 3 columns, and its first line .* image and text; {advice}$"):
        sources.find(tmp_path)


def test_a_table_whose_first_line_names_them_may_have_more_columns_and_a_mark_before(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('width,Text,Image\n80,"one, two",a.png\n', encoding="utf-8-sig")
    assert named(tmp_path) == {"a.png (row 1)": "one, two"}


def test_a_paths_bytes_may_be_no_text(tmp_path: Path) -> None:
    odd = tmp_path / "\udcff"
    odd.mkdir()
    in_table(odd / "a.csv")
    assert named(odd) == {"a.png (row 1)": "word"}
    in_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").rename(odd / "a.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        sources.find(odd)


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
    labels = [str(number) for number in range(2 * sources.ROWS + 1)]
    for name in ("a", "b"):
        parquet.write_table(
            pa.table({"label": labels, "image": [b"image"] * len(labels)}), tmp_path / f"{name}.parquet"
        )
    assert named(tmp_path) == {f"{name}.parquet:{label}": label for name in ("a", "b") for label in labels}


def test_a_path_that_no_disk_takes_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x cannot be read \(File name too long\)$"):
        sources.find(tmp_path / LONG)

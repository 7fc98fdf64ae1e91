"""What a source's items are: which files are read, which labels they have, and what is refused."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest
from pyarrow import parquet

from datagen import fitting, sources
from datagen.errors import DataError, ItemError
from datagen.items import Item
from models.files import pictures

LONG = "x" * 300
"""More than a file's name may have."""


def named(source: Path, *labels: str, labeled: bool = True) -> dict[str, object]:
    """Labels by name."""
    return {item.name: item.label for item in sources.find(source, labeled=labeled, labels=labels).items()}


def filled(folder: Path, *names: str) -> Path:
    """A folder with files of these names, each an image."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"image")
    return folder


def fault(item: Item) -> str:
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
        [item] = sources.find(source).items()
        assert (item.label, item.read()) == ("word", b"image")


def test_a_path_that_leaves_the_folder_is_refused_and_no_other(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    for file in (tmp_path / "out.png", inside / "a_1.png"):
        file.write_bytes(b"image")
    (inside / "link_1.png").symlink_to("../out.png")
    (inside / "inner_1.png").symlink_to("a_1.png")
    (tmp_path / "link").symlink_to("inside")
    read = {item.name: item for item in sources.find(tmp_path / "link").items()}
    assert "its path leaves the folder" in fault(read.pop("link_1.png"))
    assert {name: item.read() for name, item in read.items()} == {"a_1.png": b"image", "inner_1.png": b"image"}
    paths = ["../out.png", f"{tmp_path}/out.png", "link_1.png", f"{inside}/a_1.png", "../inside/a_1.png"]
    (inside / "labels.csv").write_text("".join(f"{path},word\n" for path in paths))
    *leaving, absolute, around = sources.find(inside / "labels.csv").items()
    assert all("its path leaves the folder" in fault(item) for item in leaving)
    assert absolute.read() == around.read() == b"image"


def test_a_folder_with_two_names_is_read_once_and_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "word_1.png").write_bytes(b"image")
    (tmp_path / "deep" / "again").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to("deep")
    (tmp_path / "circle_1.png").symlink_to("circle_1.png")
    assert named(tmp_path) == {"deep/word_1.png": "word", "circle_1.png": "circle"}
    circle, _ = sources.find(tmp_path).items()
    assert "symbolic links" in fault(circle)


def test_tables_do_not_matter_where_nobody_asks_for_labels(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "word_1.png"):
        (tmp_path / name).write_bytes(b"c.png,word")
    assert named(tmp_path, labeled=False) == {"word_1.png": None}


def test_a_paths_bytes_may_be_no_text(tmp_path: Path) -> None:
    odd = tmp_path / "\udcff"
    odd.mkdir()
    in_table(odd / "a.csv")
    assert named(odd) == {"a.png": "word"}
    in_parquet(tmp_path / "a.parquet")
    (odd / "a.csv").unlink()
    (tmp_path / "a.parquet").rename(odd / "a.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        sources.find(odd)


def test_a_path_that_no_disk_takes_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x cannot be read \(File name too long\)$"):
        sources.find(tmp_path / LONG)


@pytest.mark.parametrize(
    ("labels", "content"),
    [
        ("labels.txt", "0.png one\n1.png two words\n"),
        ("gt.txt", "0.png\tone\n1.png\ttwo words\n"),
        ("metadata.jsonl", '{"file_name": "0.png", "text": "one"}\n{"file_name": "1.png", "text": "two words"}\n'),
        ("labels.csv", "filename,words\n0.png,one\n1.png,two words\n"),
    ],
)
@pytest.mark.parametrize("place", ["", "deep/en_train"])
def test_labels_are_found_beside_the_images_or_further_down(
    labels: str, content: str, place: str, tmp_path: Path
) -> None:
    folder = filled(tmp_path / place, "0.png", "1.png")
    (folder / labels).write_text(content)
    (tmp_path / "README.txt").write_text("Two pictures.\n")
    source = sources.find(tmp_path)
    assert (source.total, [item.label for item in source.items()]) == (2, ["one", "two words"])
    assert [item.read() for item in source.items()] == [b"image", b"image"]
    assert f"{place}/{labels}".strip("/") in source.kind


def test_images_that_no_line_names_are_counted(tmp_path: Path) -> None:
    filled(tmp_path, "a.png", "b.png", "c.png")
    (tmp_path / "gt.txt").write_text("a.png one\nb.png two\n")
    assert sources.find(tmp_path).kind == "texts from gt.txt (image path, space, text), of 3 that are there"


def test_paths_in_a_table_start_at_it_or_at_the_folder(tmp_path: Path) -> None:
    filled(tmp_path, "images/0.png", "lists/1.png")
    (tmp_path / "lists" / "gt.txt").write_text("images/0.png\tone\n1.png\ttwo\n")
    assert [item.read() for item in sources.find(tmp_path).items()] == [b"image", b"image"]


def test_where_several_texts_could_be_meant_they_are_named_and_one_is_asked_for(tmp_path: Path) -> None:
    filled(tmp_path, "a/word_1.png", "b/word_1.png")
    for name in ("a", "b"):
        (tmp_path / name / "gt.txt").write_text(f"word_1.png\t{name}\n")
    with pytest.raises(DataError, match=r"several places; .* --labels, .*: a/gt\.txt, b/gt\.txt, or names"):
        sources.find(tmp_path)
    assert named(tmp_path, "b/gt.txt") == {"word_1.png": "b"}
    assert named(tmp_path, "names") == {"a/word_1.png": "word", "b/word_1.png": "word"}
    both = sources.find(tmp_path, labels=("a/gt.txt", "b/gt.txt"))
    assert (both.total, [label for _, label in both.labels()]) == (2, ["a", "b"])
    assert len({item.title for item in both.items()}) == 2
    with pytest.raises(
        DataError, match=r"--labels c\.txt is no file of labels .*; there is a/gt\.txt, b/gt\.txt, names"
    ):
        sources.find(tmp_path, labels=("c.txt",))


def test_hidden_files_and_earlier_data_sets_are_left_out(tmp_path: Path) -> None:
    filled(tmp_path, "word_1.png", ".trash/old_1.png", "__MACOSX/._word_1.png", "out/half_1.png")
    filled(tmp_path, "set/contact-train.png", "set/manifest.json", "set/train-00000.parquet")
    found = sources.find(tmp_path, without=tmp_path / "out")
    assert [item.name for item in found.items()] == ["word_1.png"]


def test_a_folder_without_images_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image that can be read \(but 2 \.heic\)"):
        sources.find(filled(tmp_path, "a_1.heic", "b_1.heic"))


@pytest.mark.parametrize(("table", "disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_of_a_table_and_of_the_disk_may_be_written_differently(
    table: Literal["NFC", "NFD"], disk: Literal["NFC", "NFD"], tmp_path: Path
) -> None:
    filled(tmp_path, unicodedata.normalize(disk, "Größe/é.png"))
    (tmp_path / "gt.txt").write_text(unicodedata.normalize(table, "Größe\\é.png\tword"))
    [item] = sources.find(tmp_path).items()
    assert item.read() == b"image"


def test_pictures_have_the_endings_that_compress_takes() -> None:
    assert fitting.endings() == pictures.endings()
    assert {".jfif", ".avif", ".tga", ".jpg"} <= fitting.endings()
    assert not {".pdf", ".eps", ".mpg"} & fitting.endings()

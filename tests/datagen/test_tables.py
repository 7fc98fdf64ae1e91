"""Files of labels as people have them: every row gives its image and text, or why it has none."""

from pathlib import Path

import pytest

from datagen import columns, tables
from datagen.errors import DataError


def rows(folder: Path, name: str, content: str | bytes) -> list[tuple[str, object]]:
    """Image path and text of every item; the reason where it has none."""
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    labels = tables.read(file, folder).labels()
    return [(image, str(text) if isinstance(text, Exception) else text) for image, text in labels]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gt.txt", 'a b.png Hello, world\nc.png 5" nail\n'),
        ("gt.txt", 'a b.png\tHello, world\nc.png\t5" nail\n'),
        ("gt.txt", '\ufeffa b.png, "Hello, world"\r\nc.png, "5\\" nail"\r\n'),
        ("a.tsv", 'a b.png\tHello, world\n\nc.png\t5" nail'),
        ("a.csv", 'a b.png,"Hello, world"\nc.png,"5"" nail"\n'),
        ("a.csv", 'a b.png,Hello, world\nc.png,5" nail\n'),
        ("a.csv", 'a b.png;Hello, world\nc.png;5" nail\n'),
        ("a.csv", 'label,file_name\n"Hello, world",a b.png\n"5"" nail",c.png\n'),
        ("a.csv", 'label,file_name\nHello, world,a b.png\n5" nail,c.png\n'),
        ("a.csv", 'id,image,Text\n0,a b.png,"Hello, world"\n1,c.png,5" nail\n'),
        ("a.jsonl", '{"file_name": "a b.png", "text": "Hello, world"}\n{"text": "5\\" nail", "file_name": "c.png"}\n'),
    ],
)
def test_a_text_may_hold_what_parts_it_from_its_image(name: str, content: str, tmp_path: Path) -> None:
    assert rows(tmp_path, name, content) == [("a b.png", "Hello, world"), ("c.png", '5" nail')]


def test_a_quote_that_stays_open_costs_no_other_line(tmp_path: Path) -> None:
    content = 'a.png,"one\nb.png,"two" 2\nc.png,three\n'
    assert rows(tmp_path, "a.csv", content) == [("a.png", '"one'), ("b.png", '"two" 2'), ("c.png", "three")]
    assert rows(tmp_path, "a.csv", 'a.png,"one\nmore"\nb.png,two\n') == [("a.png", "one\nmore"), ("b.png", "two")]


def test_a_line_that_is_no_row_says_so(tmp_path: Path) -> None:
    assert rows(tmp_path, "gt.txt", "a.png one\nb.png\n")[1] == (
        "b.png",
        "no space parts its line into image path and text",
    )
    wide = rows(tmp_path, "a.csv", "width,image,text\n80,a.png,Hello, world\n80,b.png,two\n")
    assert wide[0] == ("a.png", "its line has 4 columns, the first one 3; quote texts that hold a ','")
    assert wide[1] == ("b.png", "two")
    with pytest.raises(DataError, match=r"a\.jsonl, line 2 is no JSON object with .*: oh"):
        rows(tmp_path, "a.jsonl", '{"image": "a.png", "text": "one"}\noh\n')


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a.png,one\nb.png,Größe".encode("cp1252"), r"a\.csv, line 2: b'\\xf6' is not UTF-8; save the file as UTF-8"),
        ("a.png,one".encode("utf-16"), r"a\.csv is UTF-16; save it as UTF-8"),
        ("a.png,one".encode("utf-16-le"), r"a\.csv is UTF-16; save it as UTF-8"),
    ],
)
def test_other_encodings_are_named(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        rows(tmp_path, "a.csv", content)
    assert tables.holds_labels(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "content", "there"),
    [
        ("gt.txt", "a.png word\n", True),
        ("README.txt", "All pictures,\nas that in a.png, were taken\nin May.\n", False),
        ("prices.csv", "apple,1\npear,2\n", False),
        ("labels.csv", "filename,words\n", True),
        ("log.jsonl", '{"level": "info"}\n', False),
        ("empty.txt", "", False),
    ],
)
def test_only_what_names_images_holds_labels(name: str, content: str, there: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    assert tables.holds_labels(tmp_path / name) is there


@pytest.mark.parametrize(("name", "advice"), [("a.csv", "do so, or quote texts that hold a ','"), ("a.tsv", "do so")])
def test_a_table_of_more_columns_than_its_first_line_names_is_refused(name: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(columns.SEPARATORS[(tmp_path / name).suffix][0].join(("a.png", "one", "two")))
    with pytest.raises(DataError, match=rf"has 3 columns, and its first line .* image and text; {advice}$"):
        tables.read(tmp_path / name, tmp_path)


def test_a_table_whose_first_line_names_them_may_have_more_columns_and_a_mark_before(tmp_path: Path) -> None:
    content = '\ufeffwidth,Text,Image\n80,"one, two",a.png\n'
    assert rows(tmp_path, "a.csv", content) == [("a.png", "one, two")]

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from datagen.errors import SpecError
from datagen.lines import Texts
from datagen.own_files import FONTS, files, with_absolute_paths, with_checksum
from datagen.spec import DatasetSpec


def test_other_contents_of_a_users_files_are_another_data_set(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("one")
    spec = DatasetSpec(texts=Texts(file=str(file)))
    first = with_checksum(spec)
    assert with_checksum(first) == first
    file.write_text("two")
    assert with_checksum(first).digest() != first.digest()
    with pytest.raises(SpecError, match="does not exist"):
        with_checksum(replace(spec, fonts=str(tmp_path / "none")))


def test_only_files_that_are_drawn_are_in_the_checksum(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.ttf"):
        (tmp_path / name).write_bytes(name.encode())
    spec = DatasetSpec(fonts=str(tmp_path), photos=str(tmp_path))
    first = with_checksum(spec)
    assert first.contents == hashlib.sha256(b"b.ttf" * 2 + b"a.jpg" * 2).hexdigest()
    (tmp_path / ".DS_Store").write_bytes(b"a desktop's")
    (tmp_path / "dangling.ttf").symlink_to("none")
    (tmp_path / "folder.ttf").mkdir()
    assert with_checksum(spec) == first
    (tmp_path / "c.PNG").write_bytes(b"another photo")
    assert with_checksum(spec) != first


def test_fonts_beside_the_others_are_in_the_checksum(tmp_path: Path) -> None:
    (tmp_path / "b.ttf").write_bytes(b"font")
    first = with_checksum(DatasetSpec(more_fonts=str(tmp_path)))
    assert first.contents == hashlib.sha256(b"b.ttf" + b"font").hexdigest()
    assert with_absolute_paths(replace(first, more_fonts="fonts")).more_fonts == str(Path("fonts").absolute())


def test_subfolders_are_looked_into_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for folder in ("a", ".hidden"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "font.ttf").write_bytes(b"font")
    (tmp_path / "._font.ttf").write_bytes(b"a desktop's")
    assert files(tmp_path, FONTS) == [tmp_path / "a" / "font.ttf"]
    first = with_checksum(DatasetSpec(fonts=str(tmp_path)))
    (tmp_path / "a").rename(tmp_path / "b")
    assert with_checksum(first) != first


def test_a_files_name_may_be_no_text(tmp_path: Path) -> None:
    (tmp_path / "\udcff.ttf").write_bytes(b"font")
    own = with_checksum(DatasetSpec(fonts=str(tmp_path)))
    assert own.contents == hashlib.sha256(b"\xff.ttffont").hexdigest()
    assert len(own.digest()) == 16


def test_a_file_that_cannot_be_read_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=rf"^{tmp_path} cannot be read \(Is a directory\)$"):
        with_checksum(DatasetSpec(texts=Texts(file=str(tmp_path))))
    with pytest.raises(SpecError, match=r"^x+ cannot be read \(File name too long\)$"):
        with_checksum(DatasetSpec(photos="x" * 300))
    # A file whose disk answers with an error.
    (tmp_path / "broken.ttf").symlink_to("/proc/self/mem")
    with pytest.raises(SpecError, match=rf"^{tmp_path}/broken\.ttf cannot be read \(Input/output error\)$"):
        with_checksum(DatasetSpec(fonts=str(tmp_path)))


def test_paths_are_told_from_the_root_and_nothing_else_changes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert with_absolute_paths(DatasetSpec()).digest() == DatasetSpec().digest()
    own = with_absolute_paths(DatasetSpec(texts=Texts(file="lines.txt"), fonts="fonts", photos="/photos"))
    assert (own.texts.file, own.fonts, own.photos) == (f"{tmp_path}/lines.txt", f"{tmp_path}/fonts", "/photos")

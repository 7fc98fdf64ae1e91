"""What stands on the disk is never half a file, and never lost."""

from pathlib import Path

import pytest

from models.errors import FormatError
from models.files import disk


def test_a_file_that_cannot_be_written_whole_leaves_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "image.tfic"
    path.write_bytes(b"earlier")

    def half() -> None:
        with disk.writing(path) as partial:
            partial.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(FormatError, match=r"image\.tfic cannot be written \(No space left on device\)"):
        half()
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == {path: b"earlier"}


def test_a_name_may_be_as_long_as_the_disk_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".tfic")
    with disk.writing(path) as partial:
        partial.write_bytes(b"whole")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"whole"]


def test_only_an_earlier_result_is_replaced(tmp_path: Path) -> None:
    source, result = tmp_path / "image.png", tmp_path / "image.tfic"
    disk.check_target(result, source)
    source.touch()
    result.touch()
    disk.check_target(result, source, ".tfic")
    for target, replaceable in ((source, ".tfic"), (source, ".png"), (result, None)):
        with pytest.raises(FormatError, match="exists; choose another name or folder"):
            disk.check_target(target, source, replaceable)


def test_a_path_that_cannot_be_looked_at_is_left_to_the_reader_or_writer(tmp_path: Path) -> None:
    result = tmp_path / "image.tfic"
    result.touch()
    for target, source in ((result, tmp_path / "none.png"), (result, Path("x" * 300)), (Path("x" * 300), result)):
        disk.check_target(target, source, ".tfic")

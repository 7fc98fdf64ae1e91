"""The index and the names of an archive: read from either end, short, and never believed."""

import zlib

import pytest

from models.errors import FormatError
from models.files import index as indexes
from models.files.index import Index, Place

INDEX = Index(b"ab", 70, [Place(32, 3_000), Place(1, 20)])


def test_an_index_is_found_at_either_end() -> None:
    packed = INDEX.pack()
    archive = packed + b"anything" + indexes.ending(packed)
    assert Index.find(archive) == INDEX
    for damaged in (archive[3:], bytes(len(packed)) + archive[len(packed) :], archive[:-20]):
        assert Index.find(damaged) == INDEX
    with pytest.raises(FormatError, match="no archive"):
        Index.find(archive[3:-1])
    with pytest.raises(FormatError, match="the archive's index is damaged"):
        Index.find(packed[:-1] + b"?")


def test_no_flipped_bit_of_an_index_passes() -> None:
    packed = INDEX.pack()
    for position in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(FormatError):
            Index.unpack(bytes(damaged))


@pytest.mark.parametrize(
    "names",
    [
        ["line"],
        [f"page-07/line-{number:03d}" for number in range(300)],
        ["a", "ab", "a/b", "é" * 200, "é" * 201, "x" * 300, "x" * 299 + "y", "caf\udce9", "new\nline"],
    ],
)
def test_names_survive(names: list[str]) -> None:
    assert indexes.unpack_names(indexes.pack_names(names), len(names)) == names


def test_names_that_follow_one_another_take_a_byte_each() -> None:
    names = [f"page-07/line-{number:03d}" for number in range(96)]
    assert len(indexes.pack_names(names)) < 96


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "a/../../b", "", ".", "a//b", "./a", "a/"])
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(FormatError, match="none of files in a folder"):
        indexes.unpack_names(indexes.pack_names([name]), 1)


def test_names_that_are_not_those_of_the_images_are_refused() -> None:
    for names, count in ((["a", "b"], 1), (["a"], 2), (["a", "a"], 2)):
        with pytest.raises(FormatError, match="the archive's names are"):
            indexes.unpack_names(indexes.pack_names(names), count)


def test_names_that_grow_are_refused_before_they_do() -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    longest = b"\0" + b"x" * 250 + b"\0" + b"\xfay\0" * (1 << 19)
    for written in (bytes(indexes.NAMES_BYTES + 9), longest):
        stream = deflate.copy()
        data = indexes.with_crc(stream.compress(written) + stream.flush())
        with pytest.raises(FormatError, match="the archive's names are"):
            indexes.unpack_names(data, 1 << 20)

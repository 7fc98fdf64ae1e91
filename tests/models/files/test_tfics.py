"""An archive gives back what single files would, in fewer bytes; what is whole of a damaged one is given back."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from miniatures import MINIATURES

from datagen.dataset import TextImages
from models.codecs import registry as codecs
from models.errors import FormatError, ModelError
from models.files import index as indexes
from models.files import tfic
from models.files.framing import WHOLE
from models.files.index import Index, Place
from models.files.model import Model, RateDial, Size, TrainedCodec
from models.files.tfics import Archive, Writer

MUTATIONS = 300


def packed(model: Model, images: Sequence[np.ndarray], qualities: Sequence[int | None] = ()) -> bytes:
    """An archive of images whose names are letters."""
    writer = Writer(model)
    for number, image in enumerate(images):
        writer.add(chr(97 + number), image, qualities[number] if qualities else None)
    return writer.pack()[0]


def single(model: Model, image: np.ndarray, quality: int | None = None) -> np.ndarray:
    return tfic.decode(model, tfic.encode(model, image, quality))


@pytest.fixture(scope="module")
def crops() -> list[np.ndarray]:
    """Six small images of noise, of which each fills a part of the smallest canvas there is."""
    draw = np.random.default_rng(0)
    return [draw.integers(0, 256, (16, 24, 3), np.uint8) for _ in range(6)]


@pytest.fixture
def small_groups(monkeypatch) -> None:
    """Groups of two images of one element of z."""
    monkeypatch.setattr("models.files.tfics.GROUP_PIXELS", 2 * 64 * 64)


@pytest.mark.parametrize("name", MINIATURES)
def test_every_codec_gives_back_of_an_archive_what_it_gives_of_files(name: str, crops: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    codec = MINIATURES[name]().eval()
    codec.update_tables()
    model = TrainedCodec(codec, name, "english_g2", {})
    archive = Archive(packed(model, crops[:3]))
    for letter, image in zip("cab", (crops[2], *crops[:2]), strict=True):
        assert np.array_equal(archive.image(model, letter), single(model, image))


def test_images_of_all_kinds_share_a_group(dial: RateDial, test_images: TextImages) -> None:
    first, second = test_images.images[:2]
    images = [first, second[:40, :90], second[:, :, 0], first[:20, :20, 1]]
    model = replace(dial, canvas=Size(256, 64))
    for qualities in ([30, 30, 30, 30], [0, 30, 30, 100]):
        data = packed(model, images, qualities)
        assert [place.images for place in Index.find(data).groups] == [4]
        archive = Archive(data)
        for letter, image, quality in zip("abcd", images, qualities, strict=True):
            assert np.array_equal(archive.image(model, letter), single(model, image, quality))


def test_images_of_all_scales_share_a_group(trained: TrainedCodec, test_images: TextImages) -> None:
    model, image = replace(trained, canvas=Size(256, 64)), test_images.images[0]
    for scales in ([32, 32], [WHOLE, 40, 40, 100]):
        writer = Writer(model)
        for number, scale in enumerate(scales):
            writer.add(str(number), image, scale=scale)
        archive = Archive(writer.pack()[0])
        for number, scale in enumerate(scales):
            alone = tfic.decode(model, tfic.encode(model, image, scale=scale))
            assert np.array_equal(archive.image(model, str(number)), alone)


def test_an_archive_saves_what_each_file_repeats(dial: RateDial, test_images: TextImages) -> None:
    model = replace(dial, canvas=Size(256, 64))
    writer = Writer(model)
    for number, image in enumerate(test_images.images):
        writer.add(f"page/line-{number:03d}", image, 0)
    data, spent = writer.pack()
    files = sum(len(tfic.encode(model, image, 0)) for image in test_images.images)
    count = len(test_images.images)
    assert len(data) == sum(spent)
    assert files - spent.groups > 6 * count
    assert spent.names < 5 * count
    assert spent.indexes == 2 * len(Index.find(data).pack()) + 3 < 30


@pytest.mark.usefixtures("small_groups")
def test_a_cut_archive_gives_back_its_whole_groups(trained: TrainedCodec, crops: list[np.ndarray]) -> None:
    data = packed(trained, crops)
    index = Index.find(data)
    start = len(index.pack()) + index.names_bytes
    whole = [0, *np.cumsum([place.length for place in index.groups]).tolist()]
    expected = [single(trained, image) for image in crops]
    for length in (start, start + whole[1] - 1, start + whole[2], len(data) - 1):
        archive = Archive(data[:length])
        assert archive.names == [*"abcdef"]
        assert archive.damage
        kept = 2 * sum(start + end <= length for end in whole[1:])
        check(archive, trained, expected, {*range(kept)})


def check(archive: Archive, model: Model, expected: list[np.ndarray], whole: set[int]) -> None:
    """Exactly these images are given back, as they were."""
    for number, (name, image) in enumerate(zip(archive.names, expected, strict=True)):
        if number in whole:
            assert np.array_equal(archive.image(model, name), image)
        else:
            with pytest.raises(FormatError, match="it is lost with all 2 of its group"):
                archive.image(model, name)


@pytest.mark.usefixtures("small_groups")
def test_damage_to_one_part_loses_no_other(trained: TrainedCodec, crops: list[np.ndarray]) -> None:
    data = packed(trained, crops)
    index = Index.find(data)
    names_at = len(index.pack())
    start = names_at + index.names_bytes
    second = start + index.groups[0].length
    expected = [single(trained, image) for image in crops]
    every = {*range(6)}
    numbered = "the archive's names are damaged; transfer it again; its images are called by their numbers"
    for name, damaged, whole, said in (
        ("first index", bytes(names_at) + data[names_at:], every, "not whole"),
        ("second index", data[:-9] + bytes(9), every, "not whole"),
        ("a stream", data[: second + 9] + b"\xff\0" + data[second + 11 :], every - {2, 3}, ""),
        ("bytes missing", data[: second + 9] + data[second + 12 :], every - {2, 3}, "not whole"),
        ("bytes before", b"more" + data, every, "not whole"),
        ("names", data[: names_at + 2] + bytes(3) + data[names_at + 5 :], every, numbered),
    ):
        archive = Archive(damaged)
        assert said in archive.damage, name
        assert bool(said) == bool(archive.damage), name
        assert archive.names == ([*"123456"] if name == "names" else [*"abcdef"]), name
        check(archive, trained, expected, whole)


@pytest.mark.usefixtures("small_groups")
def test_no_mutated_archive_gives_other_images(trained: TrainedCodec, crops: list[np.ndarray]) -> None:
    model = replace(trained, canvas=Size(24, 16))
    data = packed(model, crops[:4])
    expected = [single(model, image) for image in crops[:4]]
    draw = np.random.default_rng(0)
    refused = lost = 0
    for _ in range(MUTATIONS):
        mutated = bytearray(data)
        near = draw.integers(0, 30, 3) * draw.choice([1, -1])
        for place in near if draw.integers(2) else draw.integers(0, len(data), 2):
            mutated[place] ^= 1 << int(draw.integers(8))
        try:
            archive = Archive(bytes(mutated[: draw.integers(len(data))] if draw.integers(4) == 0 else mutated))
        except FormatError:
            refused += 1
            continue
        for name, image in zip(archive.names, expected, strict=True):
            try:
                assert np.array_equal(archive.image(model, name), image)
            except FormatError:
                lost += 1
    assert refused
    assert lost


def crafted(model: Model, groups: Sequence[bytes], counts: Sequence[int]) -> bytes:
    """An archive whose index is right for groups that may not be."""
    names = indexes.pack_names([str(number) for number in range(sum(counts))])
    places = [Place(count, len(group)) for count, group in zip(counts, groups, strict=True)]
    index = Index(model.fingerprint[:2], len(names), places).pack()
    return index + names + b"".join(groups) + indexes.ending(index)


def test_absurd_claims_are_refused_before_anything_is_allocated(trained: TrainedCodec) -> None:
    side = b"\x80\x80\x04"
    for group, count, said in (
        (b"\x04" + side + side + b"stream", 1, "65536x65536 pixels"),
        (b"\x04" + b"\x80\x04\xc0\x03" + b"stream", 3, "more than any group of several images has"),
        (b"\x08" + b"\0" * 3, 32, "header is damaged"),
        (b"\x00stream", 1, "has none of its own"),
        (b"\x01\xffstream", 1, "has none of its own"),
        (b"\xff" * 9, 1, "damaged"),
        (b"", 1, "ends early"),
    ):
        archive = Archive(crafted(trained, [group], [count]))
        with pytest.raises(FormatError, match=said):
            archive.image(trained, "0")
    for numbers in ([1, 1 << 27], [0, 1, 33, 9], [0, 1, 0, 9]):
        data = indexes.with_crc(b"p" + trained.fingerprint[:2] + b"".join(map(indexes.varint, numbers)))
        with pytest.raises(FormatError, match="damaged"):
            Archive(data)


def test_an_image_larger_than_a_group_is_alone(trained: TrainedCodec, crops: list[np.ndarray], monkeypatch) -> None:
    monkeypatch.setattr("models.files.tfics.GROUP_PIXELS", 64 * 64)
    large = np.tile(crops[0], (5, 1, 1))
    data = packed(trained, [crops[1], large, crops[2]])
    assert [place.images for place in Index.find(data).groups] == [1, 1, 1]
    assert np.array_equal(Archive(data).image(trained, "b"), single(trained, large))


def test_another_models_archive_and_an_unknown_name_are_refused(trained: TrainedCodec, crops: list[np.ndarray]) -> None:
    torch.manual_seed(1)
    codec = codecs.build("small").eval()
    codec.update_tables()
    other = TrainedCodec(codec, "small", "english_g2", {})
    archive = Archive(packed(trained, crops[:1]))
    with pytest.raises(FormatError, match=f"{trained.fingerprint[:2].hex()}.*{other.fingerprint[:2].hex()}"):
        archive.image(other, "a")
    with pytest.raises(FormatError, match="holds no image z"):
        archive.image(trained, "z")


def test_an_image_that_cannot_be_coded_leaves_the_others(trained: TrainedCodec, crops: list[np.ndarray]) -> None:
    writer = Writer(trained)
    writer.add("a", crops[0])
    with pytest.raises(FormatError, match="cut it up"):
        writer.add("b", np.broadcast_to(np.uint8(0), (1, 65_537)))
    with pytest.raises(ModelError, match="one rate"):
        writer.add("c", crops[1], 50)
    archive = Archive(writer.pack()[0])
    assert archive.names == ["a"]
    assert np.array_equal(archive.image(trained, "a"), single(trained, crops[0]))

"""The .tfics archive: many images, compressed by one model, in groups that each share a stream."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from models.codecs import entropy_coder
from models.codecs.entropy_coder import Decoder
from models.errors import FormatError
from models.files import index as indexes
from models.files import tfic
from models.files.framing import FINGERPRINT_BYTES, WHOLE
from models.files.grouping import Group
from models.files.index import GROUP_IMAGES, LENGTH_BYTES, Index, Place
from models.files.model import Model

GROUP_PIXELS = GROUP_IMAGES << 14
"""Most of a group that has several images, padding included: as many as `GROUP_IMAGES` of 64x256."""

Pixels = UInt8[NDArray[Any], "h w *_c"]


class Spent(NamedTuple):
    """What an archive's bytes are spent on."""

    groups: int
    """Images, and what is said of them."""
    names: int
    indexes: int
    """Of the index, at both ends."""


class Writer:
    """Takes images one after the other, and gives the archive's bytes.

    Images that follow one another make a group, up to `GROUP_IMAGES` and `GROUP_PIXELS`; a larger one is alone.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._pending: list[tfic.Coded] = []
        self._groups: list[bytes] = []
        self._places: list[Place] = []
        self.names: list[str] = []
        self.pixels = 0
        """Of all images, without padding."""

    def add(
        self, name: str, image: UInt8[NDArray[Any], "h w *_c"], quality: int | None = None, scale: int = WHOLE
    ) -> None:
        """Adds an image; `name` is a path as of a file in a folder, without an ending, and is there once.

        Raises:
            FormatError: as `tfic.encode`.
            ModelError: as `tfic.encode`.
        """
        coded = tfic.coded(self._model, image, quality, scale)
        entropy_coder.check_latents(*coded.latents)
        pixels = coded.pixels + sum(each.pixels for each in self._pending)
        if len(self._pending) == GROUP_IMAGES or pixels > GROUP_PIXELS:
            self._close()
        self._pending.append(coded)
        self.names.append(name)
        self.pixels += coded.size.width * coded.size.height

    def pack(self) -> tuple[bytes, Spent]:
        """The archive of all images so far, and what its bytes are.

        Raises:
            FormatError: these are too many.
        """
        self._close()
        names = indexes.pack_names(self.names)
        index = Index(self._model.fingerprint[:FINGERPRINT_BYTES], len(names), self._places).pack()
        data = index + names + b"".join(self._groups) + indexes.ending(index)
        return data, Spent(sum(map(len, self._groups)), len(names), 2 * len(index) + LENGTH_BYTES)

    def _close(self) -> None:
        """Codes the images that wait for it as a group."""
        if not self._pending:
            return
        stream = entropy_coder.encode(*(latent for each in self._pending for latent in each.latents))
        group = Group([each.head for each in self._pending], stream)
        sizes = [each.size for each in self._pending]
        self._groups.append(group.masked(sizes, self._model.fingerprint, len(self._groups)).pack())
        self._places.append(Place(len(sizes), len(self._groups[-1])))
        self._pending = []


class Archive:
    """An archive's images by their names. Each group that is whole is decoded, whatever is damaged beside it."""

    def __init__(self, data: bytes) -> None:
        """Reads index and names, not the images.

        Raises:
            FormatError: this is no archive, or neither of its indexes is whole.
        """
        self._data = data
        self._index = Index.find(data)
        packed = self._index.pack()
        length = sum(place.length for place in self._index.groups)
        self._names_at = len(packed)
        self._missing = 2 * len(packed) + LENGTH_BYTES + self._index.names_bytes + length - len(data)
        self.damage = ""
        """What is wrong with what tells of the images, if anything: a sentence for the user."""
        if self._missing or not (data.startswith(packed) and data.endswith(indexes.ending(packed))):
            self.damage = "the archive is damaged or not whole; what can be read of it is right"
        self._groups = [number for number, place in enumerate(self._index.groups) for _ in range(place.images)]
        self.names = self._read_names()
        """Of all images, in their order; numbers from 1 where the names are damaged."""
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._last: tuple[int, list[Pixels] | FormatError] | None = None

    def image(self, model: Model, name: str) -> UInt8[NDArray[Any], "h w *_c"]:
        """The image of that name; those of its group are kept until another group is asked for.

        Raises:
            FormatError: there is no such image, its group is damaged, or another model wrote it.
        """
        if name not in self._numbers:
            raise FormatError(f"the archive holds no image {name}; python -m models list FILE.tfics tells its names")
        tfic.check_model(model, self._index.fingerprint)
        number = self._groups[self._numbers[name]]
        if self._last is None or self._last[0] != number:
            self._last = number, self._group(model, number)
        images = self._last[1]
        if isinstance(images, FormatError):
            raise images
        return images[self._numbers[name] - self._groups.index(number)]

    def _read_names(self) -> list[str]:
        count, error = len(self._groups), None
        for at in self._places(self._names_at):
            try:
                return indexes.unpack_names(self._data[at : at + self._index.names_bytes], count)
            except FormatError as found:
                error = found
        self.damage = f"{error}; its images are called by their numbers"
        return [str(number) for number in range(1, count + 1)]

    def _places(self, at: int) -> Iterator[int]:
        """Where something lies: as far from the start as it was written, or from the end."""
        yield at
        if self._missing and at >= self._missing:
            yield at - self._missing

    def _group(self, model: Model, number: int) -> list[Pixels] | FormatError:
        """A group's images, or what is wrong with it."""
        place = self._index.groups[number]
        before = sum(each.length for each in self._index.groups[:number])
        error = FormatError("")
        for at in self._places(self._names_at + self._index.names_bytes + before):
            try:
                return self._decoded(model, number, self._data[at : at + place.length])
            except FormatError as found:
                error = found
        return FormatError(f"it is lost with all {place.images} of its group ({error})")

    @torch.no_grad()
    def _decoded(self, model: Model, number: int, data: bytes) -> list[Pixels]:
        place = self._index.groups[number]
        if len(data) < place.length:
            raise FormatError("the archive ends before")
        group = Group.unpack(data, place.images)
        plans = [tfic.planned(model, head, len(group.stream)) for head in group.heads]
        pixels = sum(plan.pixels for plan in plans)
        if len(plans) > 1 and pixels > GROUP_PIXELS:
            raise FormatError(f"it asks for {pixels} pixels, more than any group of several images has")
        stream = group.masked([plan.size for plan in plans], model.fingerprint, number).stream
        decoder = Decoder(stream)
        padded = [plan.codec.decoded(decoder, plan.height, plan.width).clamp(0, 1) for plan in plans]
        decoder.close()
        return [tfic.shown(plan, each) for plan, each in zip(plans, padded, strict=True)]

"""A model.pt from anybody is used or refused in a line: it never ends the process, hangs it or fills the memory."""

import resource
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import crafted
import numpy as np
import pytest
import torch

from datagen.dataset import TextImages
from models.codecs import coding_tables, entropy_coder
from models.codecs.entropy_models import Bottleneck
from models.errors import ModelError, WeightsError
from models.files import tfic
from models.files.model import RateDial, TrainedCodec, load_model
from models.weights import WeightsFile

CDF, LENGTH, OFFSET = (f"gaussian_conditional.{name}" for name in ("_quantized_cdf", "_cdf_length", "_offset"))
SCALES = "gaussian_conditional.scale_table"


def put(name: str, change: Callable[[torch.Tensor], object]) -> Callable[[dict[str, Any]], object]:
    """Changes a tensor in place, or by what is given back."""

    def applied(content: dict[str, Any]) -> None:
        tensor = content["state_dict"][name].clone()
        given = change(tensor)
        content["state_dict"][name] = given if isinstance(given, torch.Tensor) else tensor

    return applied


TABLES = {
    "no frequency": put(CDF, lambda cdf: cdf.zero_()),
    "no first": put(CDF, lambda cdf: cdf[3, 0].fill_(1)),
    "falling": put(CDF, lambda cdf: cdf[3, 1].fill_(9)),
    "too much": put(CDF, lambda cdf: cdf[3].mul_(2)),
    "too few rows": put(CDF, lambda cdf: cdf[:5]),
    "a row alone": put(CDF, lambda cdf: cdf[3]),
    "empty": put(CDF, lambda cdf: cdf[:, :0]),
    "longer than it is": put(LENGTH, lambda length: length.fill_(1 << 30)),
    "shorter than any": put(LENGTH, lambda length: length.fill_(2)),
    "a length below 0": put(LENGTH, lambda length: length.neg_()),
    "fewer lengths": put(LENGTH, lambda length: length[:5]),
    "far from 0": put(OFFSET, lambda offset: offset.fill_(-(1 << 31))),
    "fewer offsets": put(OFFSET, lambda offset: offset[:5]),
    "more scales than tables": put(SCALES, lambda scales: torch.arange(1.0, 2.0 + len(scales))),
    "scales in disorder": put(SCALES, lambda scales: scales.flip(0)),
}


@pytest.fixture
def path(trained: TrainedCodec, tmp_path: Path) -> Path:
    trained.save(tmp_path / "model.pt")
    return tmp_path / "model.pt"


@pytest.fixture
def dials(dial: RateDial, tmp_path: Path) -> Path:
    dial.save(tmp_path / "dial.pt")
    return tmp_path / "dial.pt"


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_would_end_the_process_are_refused(name: str, path: Path) -> None:
    with pytest.raises(WeightsError, match=r"model\.pt: the codec's coding tables are (damaged|empty); "):
        load_model(crafted.changed(path, TABLES[name]))


def first_weight(content: dict[str, Any]) -> torch.Tensor:
    return content["state_dict"]["g_a.0.weight"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value: float, path: Path) -> None:
    with pytest.raises(WeightsError, match=r"model\.pt: g_a\.0\.weight is not finite"):
        load_model(crafted.changed(path, lambda content: first_weight(content).fill_(value)))


@pytest.mark.parametrize("factor", [1e12, 3e37])
def test_latents_that_cannot_be_coded_are_refused(factor: float, path: Path, test_images: TextImages) -> None:
    """The first are numbers over 2**27, the second none."""
    model = load_model(crafted.changed(path, lambda content: first_weight(content).mul_(factor)))
    with pytest.raises(ModelError, match="no latents of this image that can be coded"):
        tfic.encode(model, test_images.images[0])


def test_the_largest_latents_are_coded(trained: TrainedCodec) -> None:
    model = trained.codec.bottleneck
    assert isinstance(model, Bottleneck)
    values = torch.full((1, model.channels, 1, 2), coding_tables.LARGEST - 4.0)
    values[..., 1].neg_()
    indexes = model.build_indexes(values)
    decoder = entropy_coder.Decoder(entropy_coder.encode(entropy_coder.Latent(values, indexes, model)))
    assert torch.equal(decoder.take(indexes, model), values)


@pytest.mark.parametrize(
    "change",
    [
        put("modulation.weight", lambda weight: weight.fill_(1e30)),
        put("modulation.bias", lambda bias: bias.fill_(-1e30)),
        put("codec.entropy_bottleneck.matrices.0", lambda matrix: matrix.fill_(-80)),
    ],
)
def test_a_dial_that_has_diverged_is_refused(change: Callable, dials: Path, test_images: TextImages) -> None:
    model = load_model(crafted.changed(dials, change))
    with pytest.raises(ModelError, match="has diverged"):
        tfic.encode(model, test_images.images[0], 50)


def nested(depth: int) -> list:
    """A few lists that are 2**depth when they are written out."""
    inner: list = []
    for _ in range(depth):
        inner = [inner, inner]
    return inner


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(path=[]),
        lambda content: content.update(path=[[0.1, 0.0]]),
        lambda content: content.update(path=[[0.1, float("nan")]]),
        lambda content: content.update(path=[[0.1]]),
        lambda content: content.update(path=[nested(4)]),
        lambda content: content.update(facts={"bpp": nested(4)}),
        lambda content: content.update(recognizer=nested(4)),
        lambda content: content.update(plane={"rate_weights": [0.1, -1.0], "ocr_weights": [0.1, 0.2]}),
        lambda content: content.update(plane={"rate_weights": [0.1, 0.2]}),
    ],
)
def test_descriptions_of_another_kind_are_refused(change: Callable, dials: Path) -> None:
    with pytest.raises(WeightsError, match=r"dial\.pt cannot be read as an exported codec; export it again"):
        load_model(crafted.changed(dials, change))


def test_tensors_larger_than_their_numbers_are_refused(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    content["state_dict"][CDF] = torch.zeros(1, dtype=torch.int32).expand(1 << 20, 1 << 20)
    torch.save(content, path)
    with pytest.raises(WeightsError, match="no whole tensor"):
        load_model(path)


@pytest.mark.parametrize("load", [load_model, lambda path: WeightsFile.of(path).read()])
def test_an_archive_that_unpacks_to_more_than_it_is_is_refused(load: Callable[[Path], object], path: Path) -> None:
    crafted.repacked(path, lambda name, data: data, zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match="asks for more memory than it has bytes"):
        load(path)


GROWING = {
    "sets": b"\x80\x02" + b"\x8f" * 200_000 + b".",
    "an array": b"\x80\x02cbuiltins\nbytearray\nJ\0\0\0\x40\x85R.",
    "many lists": b"\x80\x02" + b"]" * 1_200_000 + b".",
}


@pytest.mark.parametrize("name", GROWING)
def test_a_description_that_grows_is_refused_before_it_does(name: str, path: Path) -> None:
    crafted.repacked(path, lambda entry, data: GROWING[name] if entry.endswith("data.pkl") else data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match=r"which no exported codec has|makes what no exported codec holds"):
        load_model(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_mutated_file_is_the_same_model_or_refused(path: Path) -> None:
    whole, data = load_model(path).fingerprint, path.read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(60):
        mutated = bytearray(data)
        # The description and the archive's directory are at the ends, and a twentieth of all.
        near = draw.integers(0, 12_000, 4) * draw.choice([1, -1])
        for place in near if draw.integers(2) else draw.integers(0, len(data), 4):
            mutated[place] ^= 1 << int(draw.integers(8))
        path.write_bytes(mutated[: draw.integers(len(data))] if draw.integers(4) == 0 else mutated)
        # A bit of what fills the archive up tells of nothing.
        with suppress(WeightsError):
            assert load_model(path).fingerprint == whole

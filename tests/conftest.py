"""Shapes and types are checked while tests run; one small data set, codec and Ray serve them all."""

import math
from collections.abc import Iterator
from pathlib import Path

from jaxtyping import install_import_hook

# Not datagen.generate: Ray cannot send a function that the checks have wrapped.
DRAWING = ("backgrounds", "camera", "colors", "effects", "lettering", "light", "printing", "procedural", "surroundings")
CHECKED = (*DRAWING, "dataset", "render", "sample", "shards")
install_import_hook([*(f"datagen.{room}" for room in CHECKED), "models", "sweep"], "checker.check")

import finished  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

from datagen import dataset, generate, shards  # noqa: E402
from datagen.dataset import TextImages  # noqa: E402
from datagen.render import render  # noqa: E402
from datagen.shards import Manifest  # noqa: E402
from datagen.spec import DatasetSpec  # noqa: E402
from models.codecs import registry as codecs  # noqa: E402
from models.codecs.conditioning import Condition, ConditionedCodec, Plane  # noqa: E402
from models.files.model import RateDial, Stop, TrainedCodec  # noqa: E402
from models.recognizers import registry as recognizers  # noqa: E402
from models.recognizers.ctc_attention import CtcRecognizer  # noqa: E402
from sweep.results.folder import RunFolder  # noqa: E402

torch.set_num_threads(2)


@pytest.fixture(scope="session")
def spec() -> DatasetSpec:
    return DatasetSpec(train=24, val=8, test=12, shard=10)


@pytest.fixture(scope="session")
def data_folder(spec: DatasetSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished data set, rendered without Ray."""
    folder = tmp_path_factory.mktemp("data")
    manifest = Manifest(spec)
    for shard in shards.shards(spec):
        samples = (render(spec, shard.split, index) for index in range(shard.start, shard.stop))
        manifest.sha256[shard.name] = shards.write(folder / shard.name, samples)
    manifest.save(folder)
    return folder


@pytest.fixture(scope="session")
def test_images(data_folder: Path) -> TextImages:
    return dataset.load(data_folder, "test")


@pytest.fixture(scope="session")
def recognizer() -> CtcRecognizer:
    return recognizers.english_g2()


@pytest.fixture(scope="session")
def trained() -> TrainedCodec:
    """The small codec with random weights and its coding tables."""
    torch.manual_seed(0)
    codec = codecs.build("small").eval()
    codec.update_tables()
    return TrainedCodec(codec, "small", "english_g2", {"bpp": 0.5})


@pytest.fixture(scope="session")
def finished_run(
    data_folder: Path, spec: DatasetSpec, trained: TrainedCodec, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A finished run, which tests read and none changes."""
    return finished.run(tmp_path_factory.mktemp("runs") / "cpu", data_folder, spec, trained)


@pytest.fixture(scope="session")
def dial() -> RateDial:
    """A conditioned codec without training, whose rate rises along its dial: its latents grow thirtyfold."""
    torch.manual_seed(0)
    network = ConditionedCodec(codecs.build("small"), Plane(rate_weights=(0.01, 0.2), ocr_weights=(0.001, 0.3))).eval()
    path = (Stop(0.2, 0.001), Stop(0.01, 0.3))
    with torch.no_grad():
        ends = Condition(*(torch.tensor(weights) for weights in zip(*path, strict=True)))
        low, high = network.embedding(network.plane.features(ends))
        row = math.log(30) * (high - low) / (high - low).square().sum()
        names = list(network.layers)
        last = max(names.index(name) for name in names if name.startswith("g_a"))
        rows = slice(sum(network.splits[:last]), sum(network.splits[:last]) + network.splits[last] // 2)
        network.modulation.weight[rows] = row
        network.modulation.bias[rows] = -row @ low
    return RateDial(network, "small", "english_g2", path, {"points": 2.0})


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    with generate.ray_session(2):
        yield

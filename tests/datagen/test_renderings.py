"""A user's clean renderings become the ink of the imported images."""

import io
from pathlib import Path

import numpy as np
import pytest
from labeled import in_names, png
from PIL import Image

from datagen import dataset, importing
from datagen.__main__ import main
from datagen.errors import DataError
from datagen.importing import Canvas
from datagen.spec import SPLITS


def rendering(size: tuple[int, int] = (160, 60), ground: str = "white", kind: str = "PNG") -> bytes:
    """A black bar over the left half, or the contrary."""
    picture = Image.new("L", size, ground)
    picture.paste("black" if ground == "white" else "white", (0, size[1] // 4, size[0] // 2, size[1] // 2))
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return in_names(tmp_path / "photos")


@pytest.fixture
def clean(source: Path, tmp_path: Path) -> Path:
    """A rendering of each image, of twice the size, some in another format."""
    folder = tmp_path / "renderings"
    for number, file in enumerate(source.rglob("*.png")):
        kind = "BMP" if number % 3 else "PNG"
        path = (folder / file.relative_to(source)).with_suffix(f".{kind.lower()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rendering(kind=kind))
    return folder


def test_the_ink_lies_where_the_rendering_is_black(source: Path, clean: Path, tmp_path: Path) -> None:
    manifest = importing.import_images(source, tmp_path / "out", Canvas(), clean=clean)
    assert not manifest.rejected
    for split in SPLITS:
        images = dataset.load(tmp_path / "out", split)
        assert images.ink is not None
        # 80x30 pixels fill 171x64 of the canvas.
        assert images.ink[:, 20:28, 4:80].min() > 240
        assert max(images.ink[:, :12].max(), images.ink[:, 36:].max(), images.ink[:, :, 92:].max()) < 16
    plain = importing.import_images(source, tmp_path / "plain", Canvas())
    train = [dataset.load(tmp_path / name, "train") for name in ("out", "plain")]
    assert np.array_equal(train[0].images, train[1].images)
    assert train[1].ink is None
    assert manifest.spec.digest() != plain.spec.digest()


def test_an_image_whose_rendering_is_of_no_use_is_named(source: Path, clean: Path, tmp_path: Path) -> None:
    for number, (word, given) in enumerate(
        [
            ("missing", None),
            ("broken", b"no image"),
            ("square", rendering((60, 60))),
            ("dark", rendering(ground="black")),
        ]
    ):
        (source / f"{word}_{number}.png").write_bytes(png(100 + number))
        if given is not None:
            (clean / f"{word}_{number}.png").write_bytes(given)
    rejected = importing.import_images(source, tmp_path / "out", Canvas(), clean=clean).rejected
    reasons = {
        "missing_0.png": "its clean rendering: No such file",
        "broken_1.png": "it is no image",
        "square_2.png": "its clean rendering has 60x60 pixels, and the image 80x30: they must have one shape",
        "dark_3.png": "mostly dark; black text on white is meant",
    }
    assert rejected.keys() == reasons.keys()
    assert all(reason in rejected[name] for name, reason in reasons.items())


def test_renderings_lie_in_a_folder_of_their_own(source: Path, tmp_path: Path) -> None:
    for folder, reason in ((tmp_path / "gone", "is no folder"), (source / "deep", "lies among the images")):
        with pytest.raises(DataError, match=reason):
            importing.import_images(source, tmp_path / "out", Canvas(), clean=folder)
    assert not (tmp_path / "out").exists()


def test_the_command_takes_them(source: Path, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["datagen", "import", str(source), "--out", str(out), "--clean", str(clean)])
    assert main() == 0
    assert dataset.load(out, "test").ink is not None

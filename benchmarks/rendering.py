"""How fast data sets are drawn, against TextRecognitionDataGenerator's own command at the same settings.

python benchmarks/rendering.py [--images 1500]
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from datagen import generate, shards
from datagen.dictionary import trdg
from datagen.lines import Look, Texts
from datagen.render import render
from datagen.spec import Background, DatasetSpec, paper

COMMAND = """
import sys
from PIL import ImageFont
# Pillow 10 removed it; without, the command fails.
ImageFont.FreeTypeFont.getsize = lambda font, text: font.getbbox(text)[2:]
# The layout that ours has everywhere; the other one takes longer.
ImageFont.core.HAVE_RAQM = False
from trdg.run import main
sys.exit(main())
"""
BACKGROUNDS: dict[Background, int] = {"noise": 0, "plain": 1, "photo": 3, "quasicrystal": 2}
"""Their numbers on its command line."""
STILL = Look(
    color=0, spacing=(0, 0), space=(1, 1), outline=0, distortion=0, skew=0, perspective=0, curvature=0,
    light_falloff=0, shadow=0, blur=0, noise=0, jpeg=0, light=0, size=(1.0, 1.0),
)  # fmt: skip
"""Words on a background and nothing else, as its command draws them unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Draws words of 64 pixels' height on one core, by its command and by ours, then a whole data set on all."""

    images: int = 1000
    """Drawn by its command, of each kind; a tenth on quasicrystals."""
    ours: int = 10_000
    """Drawn by us, of each kind: what half of the `paper` preset's data set is."""


def main() -> None:
    """Prints images per second and their ratio for each background, then the `paper` preset's time."""
    arguments = tyro.cli(Arguments)
    for background in BACKGROUNDS:
        images = arguments.images // (10 if background == "quasicrystal" else 1)
        theirs, ours = images / _theirs(background, images), arguments.ours / _ours(background, arguments.ours)
        print(f"{background}: {theirs:.0f} and {ours:.0f} images/s, {ours / theirs:.1f} times as fast", flush=True)
    _whole()


def _theirs(background: Background, images: int) -> float:
    """Seconds of its command, less those of a call for one image: starting up is not drawing."""
    return _command(background, images + 1) - _command(background, 1)


def _command(background: Background, images: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        options = {"-c": images, "-f": 64, "-wd": 256, "-b": BACKGROUNDS[background], "-t": 1}
        options |= {"--output_dir": folder, "-na": 2, "-e": "png"}
        if background == "photo":
            options["-id"] = str(trdg() / "images")
        call = [sys.executable, "-c", COMMAND, *(str(part) for pair in options.items() for part in pair)]
        started = time.perf_counter()
        subprocess.run(call, check=True, capture_output=True)
        return time.perf_counter() - started


def _ours(background: Background, images: int) -> float:
    """Seconds to draw and write them, from the first font opened."""
    spec = DatasetSpec(backgrounds=(background,), look=STILL, texts=Texts(random=0.0))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        shards.write(Path(folder) / "shard.parquet", (render(spec, "train", index) for index in range(images)))
        return time.perf_counter() - started


def _whole() -> None:
    """The `paper` preset by one worker and by two."""
    seconds = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder, generate.ray_session(workers):
            started = time.perf_counter()
            generate.ensure(paper(), Path(folder))
            seconds.append(time.perf_counter() - started)
            size = sum(file.stat().st_size for file in Path(folder).glob("*.parquet")) / 2**20
    ratio = seconds[0] / seconds[1]
    print(f"the paper preset: {seconds[1]:.0f} s by two workers, {ratio:.2f} times as fast as one, {size:.0f} MiB")


if __name__ == "__main__":
    main()

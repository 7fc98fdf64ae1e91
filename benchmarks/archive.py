"""How many bytes an archive takes, and how many its images do as files of their own.

python benchmarks/archive.py FOLDER --model model.pt [--quality 30]
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from models.files import jobs, pictures, tfic
from models.files.model import load_model
from models.files.tfics import Writer


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Compresses images both ways, and prints bytes an image."""

    images: tyro.conf.Positional[str]
    """A folder of images, or a pattern in quotes."""
    model: Path
    """Codec that python -m sweep.pick exported."""
    quality: int | None = None
    """Position of a model's dial."""


def main() -> None:
    """Prints the table."""
    arguments = tyro.cli(Arguments)
    model = load_model(arguments.model)
    archive, files = Writer(model), 0
    for job in jobs.find(arguments.images, "", pictures.endings(), ""):
        image = pictures.read(job.source)
        files += len(tfic.encode(model, image, arguments.quality))
        archive.add(job.target.as_posix(), image, arguments.quality)
    data, spent = archive.pack()
    count = len(archive.names)
    print(f"{count} images, bytes each: files {files / count:.2f} ({8 * files / archive.pixels:.4f} bpp)")
    print(f"archive {len(data) / count:.2f} ({8 * len(data) / archive.pixels:.4f} bpp), {_less(len(data), files)}")
    print(f"without names and index {spent.groups / count:.2f}, {_less(spent.groups, files)}")
    print(f"names {spent.names / count:.2f}, index {spent.indexes / count:.2f}")


def _less(length: int, files: int) -> str:
    return f"{1 - length / files:.1%} less"


if __name__ == "__main__":
    main()

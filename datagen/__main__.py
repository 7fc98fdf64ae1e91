"""Command line: render a data set of text images, or import one's own."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from datagen.console import ended
from datagen.errors import DataError
from datagen.lines import READABLE
from datagen.spec import PRESETS, SPLITS, DatasetSpec

if TYPE_CHECKING:
    from datagen.shards import Manifest

STYLE = (tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone)
"""How tyro shows the options."""
LINE_SECONDS = 10.0
"""Between two lines of progress in a log file."""
REASONS = 8
"""Shown of an import; the manifest has all."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Renders text images with TextRecognitionDataGenerator into Parquet shards.

    The same preset gives the same bytes, whatever the number of workers. An interrupted call goes on where it
    stopped; a finished one renders nothing. Your own images: python -m datagen import --help.
    """

    out: Path
    """Folder to fill: manifest.json and {train,val,test}-NNNNN.parquet. Or s3:// or gs://: data/NAME is filled, and
    copied there."""
    preset: Literal["paper", "cpu", "smoke", "release"] = "cpu"
    """paper: 20,000 training images; cpu: 20,000; smoke: 96; release: 40,000, a quarter of them as cpu draws them, the
    others receipts, pages, screens, signs and stamps. The options below change what it says; --backgrounds and --look
    change that quarter alone."""
    workers: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None
    """Cores to use on this machine (default: all). A running Ray cluster is used whole."""
    spec: Annotated[DatasetSpec, tyro.conf.arg(name="")]
    """What is drawn."""


@dataclass(frozen=True, kw_only=True)
class ImportArguments:
    """Makes a data set of your own text images, one line of text each: python -m sweep.run --data DIR trains on it.

    PATH is a folder of images whose names hold their texts (TEXT_NUMBER.png, NUMBER_TEXT.png); a file of labels, or a
    folder with one, image paths and texts in CSV, TSV, a .txt file (labels.txt, gt.txt) or JSON lines (metadata.jsonl);
    images with a text file each beside them (X.png, X.gt.txt); Parquet with the columns image and text; or an LMDB with
    num-samples, image-%09d and label-%09d. Text is UTF-8. Hidden files and earlier data sets in a folder are left out.

    What was understood is printed before anything is written. Each image is fitted into the canvas without distortion.
    The splits are made by a hash of the text: no text stands in two of them, and adding images moves none. What cannot
    be used is listed with its reason in manifest.json; so is a picture that an earlier image shows with another text.
    """

    source: tyro.conf.Positional[Path]
    """Your images and their texts."""
    out: Path
    """Folder to fill: manifest.json and {train,val,test}-NNNNN.parquet. Or s3:// or gs://: data/NAME is filled, and
    copied there."""
    labels: Annotated[tuple[str, ...], tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = ()
    """Which texts of a folder are meant, where there are several: a file of labels, or more of them; or `names` (of the
    images), `sidecars` (text files beside them) or `parquet`."""
    clean: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")] = None
    """Folder with a clean rendering of each image, by the image's name: the text in black on white at the same place,
    of any size of the same shape. The sweep can then be told to give back the text alone (--target text)."""
    texts_are_right: bool = False
    """Takes texts that look like file numbers, or are nearly all the same; they are refused else."""
    unlabeled: bool = False
    """The images have no texts: the sweep takes what the recognizer reads in them (--labels pseudo)."""
    characters: str = READABLE
    """Characters that your recognizer knows: a label with others is not used. By default those of english_g2."""
    width: int = 256
    """Pixels of the canvas."""
    height: int = 64
    """Pixels of the canvas; english_g2 reads lines of 64."""


def main() -> int:
    """Runs the command and returns its exit code."""
    importing = sys.argv[1:2] == ["import"]
    try:
        if importing:
            _import(tyro.cli(ImportArguments, prog="python -m datagen import", args=sys.argv[2:], config=STYLE))
        else:
            _generate(_arguments())
    except DataError as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        goes_on = "starts again" if importing else "goes on with the shards that are missing"
        Console(stderr=True).print(f"interrupted; the same command {goes_on}")
        return 1
    except BrokenPipeError:
        # Python would write what is left at its end, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _arguments() -> Arguments:
    """The options, whose defaults are the preset's."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="cpu")
    preset = PRESETS.get(parser.parse_known_args()[0].preset, PRESETS["cpu"])
    default = Arguments(out=tyro.MISSING, spec=preset())
    return tyro.cli(Arguments, prog="python -m datagen", default=default, config=STYLE)


def _generate(arguments: Arguments) -> None:
    if arguments.workers is not None and arguments.workers < 1:
        raise DataError(f"--workers {arguments.workers} leaves nobody to work; give 1 or more")
    # Ray takes seconds to import; --help and a wrong argument need not wait for it.
    from datagen import generate, own_files, remote

    remote.check(arguments.out)
    out = remote.here(arguments.out)
    if arguments.spec.photos and "photo" not in arguments.spec.backgrounds:
        raise DataError(f"--photos {arguments.spec.photos} is not drawn; name photo among the --backgrounds")
    spec = own_files.with_checksum(own_files.with_absolute_paths(arguments.spec))
    with _progress("rendering") as report, generate.ray_session(arguments.workers):
        manifest = generate.ensure(spec, out, report)
    remote.publish(out, arguments.out)
    _say(manifest, out, "lines and files")


def _import(arguments: ImportArguments) -> None:
    from datagen import importing, remote

    remote.check(arguments.out)
    out = remote.here(arguments.out)
    canvas = importing.Canvas(width=arguments.width, height=arguments.height)
    with _progress("importing") as report:
        manifest = importing.import_images(
            arguments.source.absolute(),
            out,
            canvas,
            labeled=not arguments.unlabeled,
            labels=arguments.labels,
            clean=arguments.clean,
            sure=arguments.texts_are_right,
            characters=arguments.characters,
            understood=lambda survey: print(*survey.lines(), sep="\n", flush=True),
            report=report,
        )
    remote.publish(out, arguments.out)
    _say(manifest, out, "images")


def _say(manifest: "Manifest", folder: Path, given: str) -> None:
    """What a folder holds, and how many of the `given` things were of no use."""
    from datagen import summary

    spec = manifest.spec
    print(f"{folder}: {spec.train} train, {spec.val} val, {spec.test} test images, digest {spec.digest()}")
    print(f"look at them: {', '.join(str(folder / summary.sheet_name(split)) for split in SPLITS)}")
    reasons = Counter(manifest.rejected.values())
    for reason, number in reasons.most_common(REASONS):
        print(f"not used: {number} of the {given}: {reason}")
    if len(reasons) > REASONS:
        print(f"and {len(reasons) - REASONS} other reasons; manifest.json lists them all")


@contextmanager
def _progress(name: str) -> Generator[Callable[[int, int], None]]:
    """Shows images done, their speed and the time left: a bar on a terminal, a line now and then in a log file."""
    if not sys.stdout.isatty():
        yield _Lines(name)
        return
    columns = TextColumn(name), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True)
    with Progress(*columns, TimeRemainingColumn()) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


class _Lines:
    """Progress in plain lines."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = self._said = time.monotonic()
        self._before: int | None = None

    def __call__(self, done: int, total: int) -> None:
        """A line, if the last one is old enough or all is done."""
        now = time.monotonic()
        # What an earlier call had done says nothing of this one's speed.
        self._before = done if self._before is None else self._before
        if now - self._said < LINE_SECONDS and done < total:
            return
        self._said = now
        speed = (done - self._before) / max(1e-9, now - self._started)
        left = timedelta(seconds=round((total - done) / speed)) if speed else "unknown"
        print(f"{self._name}: {done} of {total} images, {speed:.0f} images/s, {left} left", flush=True)


if __name__ == "__main__":
    sys.exit(ended(main))

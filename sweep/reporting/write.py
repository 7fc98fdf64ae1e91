"""A run's folder -> all that people look at: the page, pictures, and figures for papers."""

from collections.abc import Sequence
from pathlib import Path

from sweep.reporting import contents, page, papers, pictures
from sweep.results.folder import RunFolder


def whole(run: RunFolder) -> str:
    """Writes report.html, figures/, front.png and reconstructions.png into a run's folder; the run in a few sentences.

    Raises:
        SweepError: the run's points or readings cannot be read.
        DataError: the run's images cannot be read.
    """
    found = contents.load(run)
    images = pictures.of_run(found)
    papers.write(found, images)
    page.write([found], [images], run.path / page.NAME)
    return contents.summary(found)


def several(runs: Sequence[RunFolder], out: Path) -> str:
    """Writes one page of several runs; the runs in a few sentences.

    Raises:
        SweepError, DataError: as `whole`.
    """
    found = [contents.load(run) for run in runs]
    page.write(found, [pictures.of_run(each) for each in found], out)
    return "\n".join(f"{each.name}: {contents.summary(each)}" for each in found)

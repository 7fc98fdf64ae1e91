"""Command line: checks a machine or a cluster before a long run.

python -m sweep.doctor --out runs/mine
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import UseAppendAction

from models.console import ended
from models.errors import ModelError
from sweep.console import STYLE, complain

if TYPE_CHECKING:
    from models.recognizers.ensemble import RecognizerConfig
    from sweep.checks.finding import Finding
    from sweep.cluster.offers import Offer


def _as(metavar: str | None = None) -> Any:
    """An option whose text tells its default."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint="")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Checks a machine or a Ray cluster before a long run, in seconds.

    Prints a line for each check: ok, warn or FAIL, what was found, and what to do about it. Ends with exit code 1 where
    a check fails. Where there is a cluster, every node is checked, and what is to be equal on all of them.

    Args:
        out: Where the run's folder is to lie, as for sweep.run (default: runs). What is written there for the checks is
            deleted again.
        address: A Ray cluster, HEAD:6379, or local for this machine alone (default: RAY_ADDRESS, or the cluster that
            ray start has started on this machine; where there is none, this machine is checked without Ray).
        recognizer: A recognizer that is to teach, as for sweep.run (default: english_g2).
        recognizer_weights: Its checkpoint, as for sweep.run.
    """

    out: Annotated[Path, _as("DIR")] = Path("runs")
    address: Annotated[str | None, _as("HOST:PORT")] = None
    recognizer: Annotated[tuple[str, ...], UseAppendAction, _as("NAME")] = ()
    recognizer_weights: Annotated[tuple[Path, ...], UseAppendAction, _as("FILE")] = ()


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.doctor", config=STYLE)
    failed = False
    try:
        for finding in _findings(arguments):
            print(finding, flush=True)
            failed = failed or finding.status == "FAIL"
    except ModelError as error:
        return complain(error)
    return int(failed)


def _findings(arguments: Arguments) -> "Iterator[Finding]":
    from models.recognizers import ensemble
    from sweep.checks import run_folder, services
    from sweep.checks.finding import Finding
    from sweep.cluster import nodes
    from sweep.errors import SweepError

    recognizers = ensemble.parse(arguments.recognizer or ["english_g2"], arguments.recognizer_weights)
    out = arguments.out.absolute()
    try:
        address = arguments.address or nodes.address()
        if address is None or address == nodes.LOCAL:
            yield from _of_this_machine(out, recognizers)
        else:
            yield from _of_cluster(address, out, recognizers)
    except SweepError as error:
        yield Finding("FAIL", "cluster", str(error))
    yield run_folder.tried(out)
    yield services.mlflow()


def _of_this_machine(out: Path, recognizers: "tuple[RecognizerConfig, ...]") -> "Iterator[Finding]":
    from sweep.checks import between, node
    from sweep.cluster import offers

    yield _preset(offers.of_this_machine())
    yield from between.compared({"this machine": between.versions()})
    yield from node.findings(node.Asked(out, recognizers))


def _of_cluster(address: str, out: Path, recognizers: "tuple[RecognizerConfig, ...]") -> "Iterator[Finding]":
    from sweep.cluster import checkup, nodes, offers

    with nodes.joined(address):
        yield _preset(offers.of_cluster(address))
        yield from checkup.findings(out, recognizers)


def _preset(offer: "Offer") -> "Finding":
    from sweep import presets
    from sweep.checks.finding import Finding

    return Finding("ok", "preset", f"{presets.default(offer.most)} where none is named: {offer}")


if __name__ == "__main__":
    sys.exit(ended(main))

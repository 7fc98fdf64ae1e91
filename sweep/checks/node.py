"""All checks of one machine, where it is called."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.recognizers.ensemble import RecognizerConfig
from sweep.checks import devices, machine, reading, shared_folder
from sweep.checks.finding import Finding


@dataclass(frozen=True)
class Asked:
    """What is to be checked on a machine."""

    out: Path
    """The run's folder, which need not be there yet."""
    folder: Path | None
    """Of `shared_folder.opened`, in it; None where that failed."""
    recognizers: tuple[RecognizerConfig, ...]
    name: str | None = None
    """Of the file that a node of a cluster is to write in the folder; None: there is no cluster."""
    cpus: int | None = None
    """Cores that Ray counts on this node."""
    gpus: int | None = None
    """GPUs likewise."""


def looked(asked: Asked) -> list[Finding]:
    """What is found."""
    return [*findings(asked)]


def findings(asked: Asked) -> Iterator[Finding]:
    """What is found, one after the other."""
    yield machine.cores(asked.cpus)
    yield from machine.memories()
    yield from devices.gpus(asked.gpus)
    yield devices.bfloat16()
    yield machine.disk(asked.out)
    if asked.folder is not None:
        if asked.name is None:
            yield shared_folder.write(asked.folder, "here")
        else:
            yield shared_folder.shared(asked.folder, asked.name)
    yield reading.recognizer(asked.recognizers)

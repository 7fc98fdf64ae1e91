"""All checks of one machine, where it is called."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.recognizers.ensemble import RecognizerConfig
from sweep.checks import devices, machine, reading
from sweep.checks.finding import Finding


@dataclass(frozen=True)
class Asked:
    """What is to be checked on a machine."""

    out: Path
    """The run's folder, which need not be there yet."""
    recognizers: tuple[RecognizerConfig, ...]
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
    yield reading.recognizer(asked.recognizers)

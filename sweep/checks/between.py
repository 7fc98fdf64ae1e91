"""What is to be equal on all nodes: versions and clocks."""

import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from sweep.checks.finding import Finding

PACKAGES = ("torch", "ray", "compressai", "numpy")
ROOT = Path(__file__).parents[2]
OURS = ("datagen", "models", "sweep")
PROJECT = "tfic-sweep"
DRIFT, LEAST_DRIFT = 60.0, 2.0
"""Seconds between clocks from which what is signed or told apart by time goes wrong, and those worth a line."""
Versions = dict[str, str]


class Clock(NamedTuple):
    """A node's clock against this process's, seconds."""

    ahead: float
    unsure: float
    """Time in which it was asked: it may be off by half of it."""


def versions() -> Versions:
    """Of what computes here, by name; the project's is a checksum of its files, which a node may have older ones of."""
    found = {"Python": platform.python_version(), PROJECT: _checksum()}
    return found | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _checksum() -> str:
    digest = hashlib.sha256()
    for file in sorted(path for name in OURS for path in (ROOT / name).rglob("*.py")):
        digest.update(file.relative_to(ROOT).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def compared(found: dict[str, Versions]) -> list[Finding]:
    """A line where all nodes have the first one's versions, else one for each that has not."""
    [first, *others] = found
    lines: list[Finding] = []
    for node in others:
        mine, its = found[first], found[node]
        if differing := [f"{name} {its.get(name)} for {mine[name]}" for name in mine if its.get(name) != mine[name]]:
            fix = "copy the project's folder there and run uv sync --no-dev in it, then start Ray on it again"
            lines.append(Finding("FAIL", "versions", f"{node} has {', '.join(differing)} on {first}", fix))
    if lines:
        return lines
    said = ", ".join(f"{name} {version}" for name, version in found[first].items())
    return [Finding("ok", "versions", said if not others else f"equal on all {len(found)} nodes: {said}")]


def clocks(found: dict[str, Clock]) -> list[Finding]:
    """A line where all clocks agree, else one for each that does not."""
    lines: list[Finding] = []
    for node, clock in found.items():
        surely = abs(clock.ahead) - clock.unsure / 2
        if surely > LEAST_DRIFT:
            side = "ahead of" if clock.ahead > 0 else "behind"
            said = f"{node} is {abs(clock.ahead):.1f} s {side} the driver"
            fix = "run chrony or systemd-timesyncd on every machine"
            lines.append(Finding("FAIL" if surely > DRIFT else "warn", "clock", said, fix))
    if lines:
        return lines
    most = max(abs(clock.ahead) + clock.unsure / 2 for clock in found.values())
    return [Finding("ok", "clock", f"all within {max(most, 0.01):.2f} s of the driver's")]

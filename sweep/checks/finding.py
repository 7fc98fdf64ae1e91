"""What a check says."""

from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "FAIL"]
GIB = 2**30


class Finding(NamedTuple):
    """What a check has found, in a line."""

    status: Status
    check: str
    """What was looked at, in a word."""
    found: str
    fix: str = ""
    """What to do about it, where something is wrong."""

    def __str__(self) -> str:
        said = f"{self.found}; {self.fix}" if self.fix else self.found
        return f"{self.status:<5} {self.check:<11} {said}"


def gathered(by_node: dict[str, list[Finding]]) -> list[Finding]:
    """What was found on several nodes: check after check, and once what several have in common."""
    named = [(finding, node) for node, findings in by_node.items() for finding in findings]
    order = list(dict.fromkeys(finding.check for finding, _ in named))
    lines: list[Finding] = []
    for finding in sorted(dict.fromkeys(finding for finding, _ in named), key=lambda each: order.index(each.check)):
        nodes = [node for other, node in named if other == finding]
        lines.append(
            finding if len(by_node) == 1 else finding._replace(found=f"{_where(nodes, by_node)}: {finding.found}")
        )
    return lines


def _where(nodes: list[str], of: dict[str, list[Finding]]) -> str:
    if len(nodes) == len(of):
        return f"all {len(nodes)} nodes"
    return ", ".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")


def gib(size: float) -> str:
    """A number of bytes, for people."""
    return f"{size / GIB:.1f} GiB"

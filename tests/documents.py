"""README.md and docs/ as tests read them: fenced blocks, commands, links, headings."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import dropwhile, groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r'```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?')
MARK = re.compile(r"<!-- not run: (?P<reason>.+) -->")
LINK = re.compile(r"\]\((?P<target>[^)]+)\)")
SPAN = re.compile(r"`([^`]+)`")
PACKAGES = ("datagen", "models", "sweep")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    heading: str
    """The heading above it."""
    language: str
    title: str | None
    """Name of the file that it is; None of a script or of commands."""
    unchecked: str | None
    """Why nobody runs it, if the page says so."""
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True)
class Command:
    """A command of the project."""

    module: str
    """As `python -m` takes it, or the path of a benchmark."""
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join([self.module, *self.arguments])


@dataclass
class Page:
    """A page, taken apart."""

    headings: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    prose: str = ""
    """All of it outside the blocks."""

    @property
    def spans(self) -> list[str]:
        """What the prose sets as code."""
        return SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Targets of links and images."""
        return [match["target"] for match in LINK.finditer(SPAN.sub("", self.prose))]

    @property
    def anchors(self) -> set[str]:
        """What a link to a heading ends in, as GitHub makes it."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in self.headings}

    @property
    def commands(self) -> list[Command]:
        """Those of the project, in blocks and in the prose, each once."""
        lines = [line for block in self.blocks if block.language == "sh" for line in block.lines]
        spoken = [span for span in self.spans if re.match(r"(uv run )?python ", span)]
        found = [command for line in (*lines, *spoken) for command in commands(line) if command is not None]
        return list(dict.fromkeys(found))

    @property
    def examples(self) -> dict[str, list[Block]]:
        """Blocks of Python that can be run, by the heading above them."""
        blocks = [block for block in self.blocks if block.language == "python" and block.unchecked is None]
        return {heading: list(group) for heading, group in groupby(blocks, lambda block: block.heading)}


def read(path: Path) -> Page:
    """Takes a page apart."""
    page, lines, before = Page(), iter(path.read_text().splitlines()), ""
    for line in lines:
        if fence := FENCE.fullmatch(line):
            mark = MARK.fullmatch(before)
            content = tuple(_until_fence(lines))
            unchecked = mark and mark["reason"]
            page.blocks.append(Block(page.headings[-1], fence["language"], fence["title"], unchecked, content))
        else:
            page.prose += line + "\n"
            if line.startswith("#"):
                page.headings.append(line.lstrip("# "))
        before = line
    return page


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == "```":
            return
        yield line


def commands(line: str) -> Iterator[Command | None]:
    """The commands of a line, those in quotes too; None for each that is not the project's."""
    words = shlex.split(line)
    for ends, group in groupby(words, "&&".__eq__):
        if not ends:
            [*own] = group
            yield _command(own)
            quoted = (word for word in own if " && " in word or " -- " in word)
            yield from (command for word in quoted for command in commands(word) if command)


def _command(words: list[str]) -> Command | None:
    words = [*dropwhile(lambda word: re.match("[A-Z_]+=", word), words)]
    if "submit" in words and "--" in words:
        # What a job runs.
        words = words[-words[::-1].index("--") :]
    python, *rest = words[2:] if words[:2] == ["uv", "run"] else words
    if Path(python).name != "python" or not rest:
        return None
    if rest[0] == "-m" and rest[1].partition(".")[0] in PACKAGES:
        return Command(rest[1], tuple(rest[2:]))
    return Command(rest[0], tuple(rest[1:])) if rest[0].startswith("benchmarks/") else None

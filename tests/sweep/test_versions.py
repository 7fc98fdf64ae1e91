"""Weights and readings are never taken over from code that computes others: its number is part of their keys."""

import textwrap
from pathlib import Path

import pytest
from miniatures import MINIATURES

from models import sources
from models.codecs import registry as codecs
from sweep import versions

ROOT = Path(__file__).parents[2]
CODEC = ("base", "entropy_models")
HYPERPRIOR = (*CODEC, "hyperprior")
CONTEXT = (*CODEC, "context_codec", "checkerboard")


def of(room: str, *names: str) -> set[Path]:
    """Files of a room, which is a folder: those of the given names, or all of them and of the rooms inside."""
    folder = ROOT / room
    return {folder / f"{name}.py" for name in names} if names else set(folder.rglob("*.py"))


SOURCES: dict[str, set[Path]] = {
    "renderer": of("datagen", "render", "texts", "lines", "fonts", "lettering", "colors", "backgrounds", "effects")
    | of("datagen", "glyphs", "own_files", "sample", "amounts", "dictionary", "procedural", "printing", "surroundings")
    | of("datagen", "light", "camera"),
    "training": of("sweep/training")
    | of("sweep/stages", "train")
    | of("sweep/cluster", "training_data")
    | of("sweep/trials", "cleaning")
    | of("models", "losses", "cuda_graphs")
    | of("datagen", "dataset"),
    "conditioning": of("models/codecs", "conditioning"),
    "recognizers": of("models/recognizers") - of("models/recognizers", "held_out")
    | of("models", "metrics")
    | of("sweep/trials", "legibility"),
    "small": of("models/codecs", "small", "two_pass", *CONTEXT),
    "factorized": of("models/codecs", "compressai_zoo", "factorized", *CODEC),
    "hyperprior": of("models/codecs", "compressai_zoo", *HYPERPRIOR),
    "mbt2018-mean": of("models/codecs", "compressai_zoo", *HYPERPRIOR),
    "mbt2018": of("models/codecs", "compressai_zoo", "autoregressive", *CONTEXT),
    "cheng2020-anchor": of("models/codecs", "compressai_zoo", "autoregressive", *CONTEXT),
    "cheng2020-attn": of("models/codecs", "compressai_zoo", "autoregressive", *CONTEXT),
    "elic": of("models/codecs", "compressai_zoo", "elic", *CONTEXT),
    "tinylic": of("models/codecs", "tinylic", "neighborhood_attention", *CONTEXT),
}
"""What decides of weights and readings. A new module that does belongs here."""
WITHOUT_A_SAY = (
    of("models", "__init__", "errors", "weights", "sources", "fingerprint")
    | of("models/codecs", "__init__", "registry", "coding_tables", "entropy_coder")
    | of("models/files")
    | of("models/shipped")
    | of("datagen", "__init__", "errors", "spec", "scenes", "shards", "generate", "summary", "own_files", "fitting")
    | of("datagen", "files")
    | of("datagen", "machines", "remote", "signals")
    | of("sweep", "__init__", "errors", "config", "names", "versions", "graceful_stop")
    | of("sweep/stages")
    | of("sweep/results")
    | of("sweep/search")
    | of("sweep/tracking")
    | of("sweep/trials")
    | of("sweep/cluster")
    | of("sweep/baselines")
    | of("models/baselines")
)
"""What passes on, keeps, checks or measures them, or stands in the keys itself."""


def current(name: str) -> str:
    return sources.checksum(SOURCES[name], ROOT)[:12]


def test_code_that_computes_something_else_has_another_number() -> None:
    stale = [name for name, version in versions.TABLE.items() if current(name) != version.sources]
    lines = [f'    "{name}": Version({_number(name)}, "{current(name)}"),' for name in stale]
    assert not stale, (
        f"\nThe sources of {', '.join(stale)} have changed since their numbers were given. Where a configuration may "
        "now give other weights, readings or images, raise the number (the renderer's in datagen/spec.py), so that "
        "nothing old is taken over. Where it cannot, keep it. Either way put these lines into sweep/versions.py:\n\n"
        + "\n".join(lines)
    )


def _number(name: str) -> str:
    return "RENDERER" if name == "renderer" else str(versions.TABLE[name].number)


def test_every_codec_and_every_room_that_trains_has_a_number() -> None:
    assert versions.TABLE.keys() == SOURCES.keys() == {*codecs.CODECS, *SOURCES.keys() - codecs.CODECS.keys()}


@pytest.mark.parametrize("name", MINIATURES)
def test_all_that_a_codec_is_made_of_is_among_its_sources(name: str) -> None:
    kinds = {kind for module in MINIATURES[name]().modules() for kind in type(module).__mro__}
    ours = {kind.__module__ for kind in kinds if kind.__module__.startswith("models.")}
    assert {ROOT / f"{module.replace('.', '/')}.py" for module in ours} <= SOURCES[name]


def test_every_module_that_a_worker_trains_with_is_sorted_by_whether_it_decides() -> None:
    starts = of("sweep/stages", "store") | of("sweep/cluster", "training_data") | of("datagen", "render")
    starts |= of("models/codecs", "registry") | of("models/recognizers", "ensemble")
    used = set().union(*(sources.reached(start, ROOT, ROOT) for start in starts))
    assert used <= WITHOUT_A_SAY.union(*SOURCES.values())


def checksum(folder: Path, text: str) -> str:
    (folder / "module.py").write_text(textwrap.dedent(text))
    return sources.checksum([folder / "module.py"], folder)


def test_comments_docstrings_and_layout_change_no_checksum(tmp_path: Path) -> None:
    before = checksum(tmp_path, 'A = 1\n"""One."""\ndef f(x):\n    """Says."""\n    return [x, A]  # both\n')
    assert checksum(tmp_path, "A = (1)\n\n\ndef f(\n    x\n):\n    return [\n        x,\n        A,\n    ]\n") == before
    assert checksum(tmp_path, "A = 2\ndef f(x):\n    return [x, A]\n") != before
    assert checksum(tmp_path, "A = 1\ndef f(x):\n    return [x, -A]\n") != before


def test_a_checksum_is_that_of_every_python(tmp_path: Path) -> None:
    """As 3.11, 3.12 and 3.13 give it, whose syntax trees differ."""
    text = 'class A(object):\n    async def f(self, *, x: int = None): return f"{x!r:>{3}}"\n'
    assert checksum(tmp_path, text)[:16] == "4bc259a10bc61697"

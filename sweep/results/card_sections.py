"""What every model card says: how a model was made, how it is used, where its limits are."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from datagen.spec import DatasetSpec, Spec
from models import shipped
from models.files.model import Model
from models.weights import WeightsFile
from sweep.config import SweepConfig
from sweep.results.folder import RunFolder

MARK = "<!-- python -m sweep.pick wrote this file and replaces it. -->"
"""First line of every card."""
Rows = Iterable[Sequence[str]]


def joined(*blocks: str) -> str:
    """A card of these blocks."""
    return "\n\n".join((MARK, *blocks)) + "\n"


def table(head: Sequence[str], rows: Rows) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def number(value: float | None, digits: int) -> str:
    """A figure in a table, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def steps(stage1: int, stage2: int) -> tuple[str, str]:
    """The row of how long a codec was trained."""
    return "steps", f"{stage1:,} of stage 1 (rate and pixels), {stage2:,} of stage 2 (rate and OCR)"


def taught(config: SweepConfig, *, since_start: bool = True) -> tuple[str, str]:
    """The row of who taught a codec."""
    none = "none since it started" if config.init else "none"
    return "recognizers that taught", config.recognizer_identity if since_start else none


def made(run: RunFolder, model: Model, training: Rows) -> str:
    """Data, codec and recognizers, with rows on the training between."""
    data = run.config.data
    rows = (
        ("data set", f"`{data.digest()}`, {data.kind}"),
        ("images", f"{data.train:,} for training, {data.val:,} for validation, {data.test:,} for the test"),
        ("size of an image", f"{data.width}x{data.height} pixels"),
        ("texts", _texts(data)),
        ("codec", model.codec_name),
        ("started from", _start(run.config)),
        *training,
        ("fingerprint", f"`{model.fingerprint.hex()}`"),
    )
    return f"## How it was made\n\n{table(('', ''), rows)}"


def _start(config: SweepConfig) -> str:
    if config.init is None:
        return "fresh weights"
    along = config.init == WeightsFile.of(shipped.DIAL)
    return "the dial that comes along" if along else f"a checkpoint, sha256 `{config.init.sha256[:16]}…`"


def _texts(data: Spec) -> str:
    if not isinstance(data, DatasetSpec):
        return f"labels of imported images, {data.unlabeled} of which have none"
    texts = data.texts
    least, most = texts.length
    kind = f"words of the dictionary `{texts.language}`" if texts.file is None else "lines of a file"
    lengths = f" of {least} to {most} characters" if texts.file is None else ""
    scenes = f"; {len(data.scenes)} kinds of scenes have lines of words and of amounts" if data.scenes else ""
    return f"{kind}{lengths}; a share of {texts.random:g} is random strings{scenes}"


def use(config: SweepConfig, file: Path, rate: str = "") -> str:
    """The commands that compress, restore and read, with what --model and a dial's rate need."""
    model = f"--model {shlex.quote(file.name)}"
    return (
        "## How to use it\n\nIn the folder of the model, where TFIC Sweep is installed:\n\n```sh\n"
        f"python -m models compress photo.png photo.tfic {model}{rate}\n"
        f"python -m models decompress photo.tfic restored.png {model}\n"
        f"python -m models read photo.tfic {model}{_reader(config)}\n```"
    )


def _reader(config: SweepConfig) -> str:
    """What `read` has to be told where no package brings the recognizer's weights."""
    first = config.recognizers[0]
    if first.is_users:
        return f" --recognizer {first.name}"
    return " --recognizer-weights FILE" if isinstance(first.source, WeightsFile) else ""


def limits(config: SweepConfig, taught: bool) -> str:
    """What the figures do not promise.

    Args:
        taught: whether recognizers taught the codec.
    """
    data, reader = config.data, config.recognizers[0].name
    alters = (
        "It was trained for OCR, not for the eye: it may alter glyphs, up to another character, sharp and plausible. "
        "Keep the original where a single character matters, as in amounts and serial numbers."
    )
    erases = "It gives back the text in black on white: backgrounds, colors and whatever else the image shows are lost."
    said = (
        *([erases] if config.target == "text" else []),
        f"Images: it has seen {data.kind} images of one line of text, {data.width}x{data.height} pixels. Images of "
        "another kind or size are compressed too, but nobody has measured how well.",
        f"Texts: {_characters(data)}. Other languages and scripts it has never seen.",
        alters if taught or config.init else "No recognizer taught it: glyphs are kept as far as pixels are.",
        f"Readers: the accuracy is that of {reader}. Other OCR engines, and people, may read less in its images.",
        "Times are of one image on the CPU of the machine that measured them.",
        "Intervals tell how far other images of the same kind may lie, not another training or another kind.",
    )
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in said)


def _characters(data: Spec) -> str:
    if not isinstance(data, DatasetSpec):
        return "those of the imported images"
    return f"language `{data.texts.language}`, of the characters ``{data.texts.characters.strip()}`` and spaces"

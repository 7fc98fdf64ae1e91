"""Command line: a whole sweep, from nothing to the front.

python -m sweep.run --budget 64
"""

import logging
import math
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.markup import escape

from datagen.errors import DataError
from models.errors import ModelError
from sweep.errors import SweepError

if TYPE_CHECKING:
    from datagen.spec import Spec
    from sweep.config import SweepConfig
    from sweep.folder import RunFolder


NAMED = (
    *("budget", "strategy", "codec", "labels", "polish_steps"),
    *("sampler", "betas", "max_bpp", "min_accuracy", "min_psnr"),
)
"""Arguments that are fields of the configuration."""
OPTIONS = {"recognizers": "--recognizer", "early_stopping": "--train-all", "gpus_per_trial": "--trials-per-gpu"}
"""Those of another name."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Traces the rate-accuracy front of text-focused image compression (TFIC).

    Renders text images, trains a codec in two stages - rate and distortion, then rate and the loss of a frozen OCR
    network - and searches the weights of rate and OCR loss with trials. Every point is measured on real files and
    logged to MLflow, beside the base codec, WebP and the uncompressed images. An interrupted run goes on with --resume.
    """

    budget: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Points to measure, each with its own (lambda, beta) (default: the preset's)."""
    preset: Literal["paper", "cpu", "smoke"] | None = None
    """paper: the paper's recipe, for GPUs; cpu: two cores, about an hour; smoke: two minutes, to try it out.
    Default: paper where a GPU is visible, else cpu."""
    out: Path | None = None
    """The run's folder (default: runs/PRESET). On a cluster, a path that all nodes share."""
    resume: bool = False
    """Go on with the run in --out. A larger --budget extends it."""
    hours: Annotated[float | None, tyro.conf.arg(metavar="H")] = None
    """Start no trial that would end later than so many hours after the start (default: no limit). The training that all
    points share is not cut short; --resume goes on to the budget."""
    strategy: Literal["conditional", "shared", "continued", "independent"] | None = None
    """Where a trial's codec comes from. conditional (default): one codec conditioned on (lambda, beta), trained by all
    workers together, folded to a plain one at each trial's point. The others train each trial, on as many images in
    all. shared: a stage 1 for each lambda of a grid, a stage 2 for each trial. continued: the same, but each stage 1
    starts from its neighbor's, and each stage 2 from the nearest finished trial. independent: both stages for each
    trial from nothing, as the paper trains."""
    train_all: bool = False
    """Train every trial to its end. Otherwise those that train stop after a ninth or a third of stage 2 where they
    have fallen far behind the front."""
    sampler: Literal["tpe", "gp", "nsga2", "qmc", "random", "grid"] | None = None
    """What proposes the next (lambda, beta): Optuna's samplers, tpe by default, or grid: the preset's lambdas, each
    with the same betas, as many as the budget allows."""
    betas: Annotated[tuple[float, float] | None, tyro.conf.arg(metavar="LOW HIGH")] = None
    """Range of the OCR weight (default: the preset's). --sampler grid --betas 0.1 0.1 is the paper's own search."""
    max_bpp: Annotated[float | None, tyro.conf.arg(metavar="BPP")] = None
    """Search where the rate is at most this."""
    min_accuracy: Annotated[float | None, tyro.conf.arg(metavar="0..1")] = None
    """Search where the accuracy is at least this."""
    min_psnr: Annotated[float | None, tyro.conf.arg(metavar="DB")] = None
    """Search where the PSNR is at least this."""
    vary: Annotated[
        tuple[tuple[Literal["distortion_weight", "learning_rate", "steps"], float, float], ...],
        tyro.conf.UseAppendAction,
        tyro.conf.arg(metavar="SETTING LOW HIGH"),
    ] = ()
    """A setting of stage 2 to search as well, with the strategy shared or independent; may be given several times."""
    trials_per_gpu: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Trials that share a GPU (default: one). What all train together takes whole GPUs."""
    polish_steps: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Updates at its own point alone that a trial of the conditional strategy adds (default: the preset's)."""
    labels: Literal["truth", "pseudo"] | None = None
    """What the recognizer is to read in training. truth (default): the data set's texts. pseudo: what it reads in the
    original, for images without labels."""
    codec: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """small, factorized, hyperprior, mbt2018-mean, mbt2018, cheng2020-anchor, cheng2020-attn, elic or tinylic (default:
    the preset's); python -m models list tells what each costs."""
    init: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Weights that stage 1 starts from, in half of its steps: a checkpoint of the same codec that CompressAI published,
    a state dict of your own, or a model.pt of one rate. On a cluster, a path that all nodes share."""
    recognizer: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="NAME[=WEIGHT]")] = ()
    """english_g2 (default); ppocr (PP-OCRv4, with the extra ppocr); with --recognizer-weights trba, which is
    tps-resnet-bilstm-attn, or another network of the four-stage framework, such as none-vgg-bilstm-ctc; or your own
    MODULE:FUNCTION, which returns a torch.nn.Module with the methods loss(images, texts) and read(images). Given
    several times, the codec is trained against the mean of their losses, weighted by =WEIGHT; the first one's accuracy
    steers the search, the others' stand beside it."""
    recognizer_weights: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FILE")] = ()
    """A checkpoint that github.com/clovaai/deep-text-recognition-benchmark released, of 36 or 94 characters; one for
    each recognizer that comes without, in their order. The preset's data set is drawn with the characters that all
    recognizers know; a --data with others is refused."""
    data: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """A data set that python -m datagen rendered or imported: a folder, or s3:// or gs:// (default: the preset's,
    rendered beside the run)."""


def main() -> int:
    """Runs the command and returns its exit code."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    arguments = tyro.cli(Arguments, prog="python -m sweep.run")
    console = Console(stderr=True)
    try:
        _run(arguments)
    except (SweepError, DataError, ModelError) as error:
        console.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        return 2
    except KeyboardInterrupt:
        console.print("interrupted; what was done is saved. The same command with --resume goes on.")
        return 1
    return 0


def _run(arguments: Arguments) -> None:
    run = open_run(arguments)
    # Ray and MLflow take seconds to import; wrong arguments are answered first.
    from sweep import launch

    # What fails is told by our own display, with its reason.
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    launch.sweep(run, math.inf if arguments.hours is None else 3600 * arguments.hours)


def open_run(arguments: Arguments) -> "RunFolder":
    """The folder of the run that was asked for, made or found.

    Raises:
        SweepError: the run exists and is not to be resumed, is of another configuration, or cannot be written.
        DataError: --data holds no data set.
        ModelError: a name is unknown, or a recognizer cannot be loaded.
    """
    from datagen import remote
    from sweep import presets

    preset = arguments.preset or (None if arguments.resume and arguments.out else presets.default())
    out = arguments.out or Path("runs") / str(preset)
    data = remote.fetch(arguments.data, out.parent / "data") if arguments.data else None
    return _resumed(arguments, out, data) if arguments.resume else _started(arguments, out, str(preset), data)


def _started(arguments: Arguments, out: Path, preset: str, data: Path | None) -> "RunFolder":
    from datagen.shards import Manifest
    from sweep import presets, tracking
    from sweep.folder import RunFolder, new_sweep_id

    config = presets.PRESETS[preset]()
    config = replace(config, **_asked(arguments, config))
    if config.init is not None:
        config = presets.started(config, config.init)
    config = replace(config, data=_legible(config) if data is None else Manifest.load(data).spec)
    if config.strategy in presets.SPLIT:
        config = presets.SPLIT[config.strategy](config)
    data = data or out.parent / "data" / f"{preset}-{config.data.digest()}"
    run = RunFolder(out, config, preset, data.absolute(), new_sweep_id(), tracking.default_uri())
    _check_start(run)
    run.create()
    return run


def _legible(config: "SweepConfig") -> "Spec":
    """The preset's data set, of texts that the recognizers know."""
    from datagen.spec import READABLE, DatasetSpec
    from models import teachers

    assert isinstance(config.data, DatasetSpec), "presets are drawn"
    characters = teachers.load(config.recognizers).known(READABLE)
    return replace(config.data, texts=replace(config.data.texts, characters=characters))


def _resumed(arguments: Arguments, out: Path, data: Path | None) -> "RunFolder":
    from datagen.shards import Manifest
    from sweep.folder import RunFolder

    run = RunFolder.load(out)
    asked = _asked(arguments, run.config) | ({"data": Manifest.load(data).spec} if data else {})
    if arguments.preset not in (None, run.preset):
        raise SweepError(f"{out} was started with --preset {run.preset}; resume it with that, or start another --out")
    for name in asked.keys() - {"budget"}:
        if asked[name] != getattr(run.config, name):
            option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise SweepError(f"{out} was started with another {option}; resume it without, or start another --out")
    if arguments.budget is not None and arguments.budget < run.config.budget:
        raise SweepError(f"{out} has --budget {run.config.budget}, which can only grow; give that or more")
    run = replace(run, config=replace(run.config, **asked), data=(data or run.data).absolute())
    _check_start(run)
    run.save()
    return run


def _check_start(run: "RunFolder") -> None:
    """Reads the checkpoint that stage 1 starts from, if it is still to start: workers would fail minutes later."""
    from sweep import stages
    from sweep.checkpoints import Store

    store = Store.of(run.path)
    ahead = [node for node in stages.roots(run.config) if node.init and not store.holds(node)]
    if ahead:
        ahead[0].start()


def _asked(arguments: Arguments, config: "SweepConfig") -> dict[str, Any]:
    """The fields of the configuration that the command line names, in place of what they are."""
    from models import teachers
    from models.weights import WeightsFile

    values = {name: getattr(arguments, name) for name in NAMED}
    if arguments.vary:
        values["vary"] = arguments.vary
    if arguments.trials_per_gpu is not None:
        if arguments.trials_per_gpu < 1:
            raise SweepError(f"--trials-per-gpu {arguments.trials_per_gpu} is below 1")
        values["gpus_per_trial"] = 1 / arguments.trials_per_gpu
    if arguments.train_all:
        values["early_stopping"] = False
    if arguments.init is not None:
        values["init"] = WeightsFile.of(arguments.init)
    if arguments.recognizer or arguments.recognizer_weights:
        names = arguments.recognizer or [f"{teacher.name}={teacher.weight}" for teacher in config.recognizers]
        values["recognizers"] = teachers.parse(names, arguments.recognizer_weights)
    return {name: value for name, value in values.items() if value is not None}


if __name__ == "__main__":
    sys.exit(main())

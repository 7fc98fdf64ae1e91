"""What the command line of a sweep takes, and which fields of its configuration that names."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import UseAppendAction

from sweep.errors import SweepError
from sweep.names import Labels, PresetName, SamplerName, Setting, StrategyName, Target

if TYPE_CHECKING:
    from sweep.config import SweepConfig

NAMED = (
    *("budget", "seeds", "strategy", "codec", "labels", "polish_steps", "seed"),
    *("sampler", "betas", "max_bpp", "min_accuracy", "min_psnr"),
)
"""Arguments that are fields of the configuration."""
OPTIONS = {"recognizers": "--recognizer", "early_stopping": "--train-all", "stage1": "--steps", "stage2": "--steps"}
"""Fields that other options name."""


def _as(metavar: str | None = None) -> Any:
    """An option whose text tells its default."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint="")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Traces the rate-accuracy front of text-focused image compression (TFIC).

    Renders text images, trains a codec in two stages - rate and distortion, then rate and the loss of a frozen OCR
    network - and searches the weights of rate and OCR loss with trials. Every point is measured on real files and
    logged to MLflow, beside the base codec, what needs no training and the uncompressed images. An interrupted run
    goes on with --resume.

    Args:
        budget: Points to measure, each with its own (lambda, beta) (default: the preset's).
        seeds: Train so often, each time from another seed (default: 1). Further trainings repeat the points of the
            front, and the report tells how much the points differ. --resume --seeds N adds them to a finished run.
        preset: paper: the paper's recipe, for GPUs; cpu: two cores, half an hour; smoke: two minutes, to try it out.
            Default: paper where this machine, or the cluster that RAY_ADDRESS names, has a GPU or may start one, else
            cpu.
        out: The run's folder (default: runs/PRESET), on the machine that the command runs on. Or s3://BUCKET/NAME or
            gs://BUCKET/NAME: then the folder is runs/NAME, and the store follows it, so that another machine can
            --resume the run.
        resume: Go on with the run in --out. A larger --budget extends it.
        hours: Take so many hours in all, on whatever machine: the pace is measured here, and both stages get as many
            steps as there is time for, in the preset's proportion (default: the preset's steps). If that is too few,
            there are fewer trials. With --steps, --vary steps or --resume, steps stay as they are, and no trial starts
            that would end later.
        steps: Optimizer updates of each training of stage 1 and of stage 2, exactly (default: the preset's, or as many
            as --hours has time for).
        lambdas: Rate weights of the base curve, between which trials are searched (default: the preset's).
        seed: What weights, batches and proposals are drawn by (default: 0).
        strategy: Where a trial's codec comes from. conditional (default): one codec conditioned on (lambda, beta),
            trained by all workers together, folded to a plain one at each trial's point. The others train each trial,
            on as many images in all. shared: a stage 1 for each lambda of a grid, a stage 2 for each trial. continued:
            the same, but each stage 1 starts from its neighbor's, and each stage 2 from the nearest finished trial.
            independent: both stages for each trial from nothing, as the paper trains.
        train_all: Train every trial to its end. Otherwise those that train stop after a ninth or a third of stage 2
            where they have fallen far behind the front.
        sampler: What proposes the next (lambda, beta): Optuna's samplers, tpe by default, or grid: the preset's
            lambdas, each with the same betas, as many as the budget allows.
        betas: Range of the OCR weight (default: the preset's). --sampler grid --betas 0.1 0.1 is the paper's
            own search.
        max_bpp: Search where the rate is at most this.
        min_accuracy: Search where the accuracy is at least this.
        min_psnr: Search where the PSNR is at least this.
        vary: A setting of stage 2 to search as well (distortion_weight, learning_rate or steps), with the strategy
            shared or independent; may be given several times.
        trials_per_gpu: Trials that share a GPU (default: as many as its memory holds, four at most). What all train
            together takes whole GPUs. With --resume, another number than before is fine.
        polish_steps: Updates at its own point alone that a trial of the conditional strategy adds (default: the
            preset's).
        labels: What the recognizer is to read in training. truth (default): the data set's texts. pseudo: what it
            reads in the original, for images without labels.
        target: What the decoder is to give back. text (default of cpu and smoke): the text alone, black on white; where
            nobody knows the clean rendering of imported images, the dial that comes along draws it. image: the image,
            as in the paper.
        codec: One of small, factorized, hyperprior, mbt2018-mean, mbt2018, cheng2020-anchor, cheng2020-attn, elic and
            tinylic (default: the preset's); python -m models list tells what each costs.
        init: Weights that stage 1 starts from: a dial of another sweep, which short stages fit to the images; or, in
            half of stage 1, an exported model, a checkpoint of the same codec that CompressAI published, or a state
            dict of your own. On a cluster, a path that every node has. Default: the dial that comes along, if the codec
            is small and the target text.
        from_scratch: Start from fresh weights.
        recognizer: english_g2 (default); ppocr (PP-OCRv4, with the extra ppocr); with --recognizer-weights trba, which
            is tps-resnet-bilstm-attn, or another network of the four-stage framework, such as none-vgg-bilstm-ctc; or
            your own MODULE:FUNCTION, which returns a torch.nn.Module with the methods loss(images, texts) and
            read(images). Given several times, they take turns by batch, as often as their WEIGHT
            says; the first one's accuracy steers the search, the others' stand beside it.
        recognizer_weights: A checkpoint that github.com/clovaai/deep-text-recognition-benchmark released, of 36 or 94
            characters; one for each recognizer that comes without, in their order. The preset's data set is drawn with
            the characters that all recognizers know; a --data with others is refused.
        data: A data set that python -m datagen rendered or imported: a folder, or s3:// or gs:// (default: the
            preset's, rendered beside the run).
    """

    budget: Annotated[int | None, _as("N")] = None
    seeds: Annotated[int | None, _as("N")] = None
    preset: Annotated[PresetName | None, _as()] = None
    out: Annotated[Path | None, _as("DIR")] = None
    resume: Annotated[bool, _as()] = False
    hours: Annotated[float | None, _as("H")] = None
    steps: Annotated[tuple[int, int] | None, _as("STAGE1 STAGE2")] = None
    lambdas: Annotated[tuple[float, ...], _as("LAMBDA …")] = ()
    seed: Annotated[int | None, _as("N")] = None
    strategy: Annotated[StrategyName | None, _as()] = None
    train_all: Annotated[bool, _as()] = False
    sampler: Annotated[SamplerName | None, _as()] = None
    betas: Annotated[tuple[float, float] | None, _as("LOW HIGH")] = None
    max_bpp: Annotated[float | None, _as("BPP")] = None
    min_accuracy: Annotated[float | None, _as("0..1")] = None
    min_psnr: Annotated[float | None, _as("DB")] = None
    vary: Annotated[
        tuple[tuple[Setting, float, float], ...],
        UseAppendAction,
        _as("SETTING LOW HIGH"),
    ] = ()
    trials_per_gpu: Annotated[int | None, _as("N")] = None
    polish_steps: Annotated[int | None, _as("N")] = None
    labels: Annotated[Labels | None, _as()] = None
    target: Annotated[Target | None, _as()] = None
    codec: Annotated[str | None, _as("NAME")] = None
    init: Annotated[Path | None, _as("FILE")] = None
    from_scratch: Annotated[bool, _as()] = False
    recognizer: Annotated[tuple[str, ...], UseAppendAction, _as("NAME[=WEIGHT]")] = ()
    recognizer_weights: Annotated[tuple[Path, ...], UseAppendAction, _as("FILE")] = ()
    data: Annotated[str | None, _as("DIR")] = None


def seconds(hours: float | None) -> float:
    """Seconds that --hours leaves; infinite without it.

    Raises:
        SweepError: that is no time.
    """
    if hours is None:
        return math.inf
    if not 0 < hours < math.inf:
        raise SweepError(f"--hours {hours:g} must be a number above 0; leave it out for no limit")
    return 3600 * hours


def overrides(arguments: Arguments, config: "SweepConfig") -> dict[str, Any]:
    """The fields of the configuration that the command line names, in place of what they are."""
    from models.recognizers import ensemble
    from models.weights import WeightsFile

    values = {name: getattr(arguments, name) for name in NAMED}
    if arguments.vary:
        values["vary"] = arguments.vary
    if arguments.lambdas:
        values["lambdas"] = tuple(sorted(set(arguments.lambdas), reverse=True))
    if arguments.steps is not None and min(arguments.steps) < 1:
        raise SweepError(f"--steps {arguments.steps[0]} {arguments.steps[1]}: each stage needs one step or more")
    if arguments.trials_per_gpu is not None:
        if arguments.trials_per_gpu < 1:
            raise SweepError(f"--trials-per-gpu {arguments.trials_per_gpu} is below 1")
        values |= {"gpus_per_trial": 1 / arguments.trials_per_gpu, "shares_gpus": False}
    if arguments.train_all:
        values["early_stopping"] = False
    if arguments.init is not None:
        if arguments.from_scratch:
            raise SweepError("--init starts from weights and --from-scratch from none; give one of them")
        values["init"] = WeightsFile.of(arguments.init)
    if arguments.recognizer or arguments.recognizer_weights:
        names = arguments.recognizer or [f"{each.name}={each.weight}" for each in config.recognizers]
        values["recognizers"] = ensemble.parse(names, arguments.recognizer_weights)
    return {name: value for name, value in values.items() if value is not None}


def stages(arguments: Arguments, config: "SweepConfig") -> dict[str, Any]:
    """The stages with the steps of --steps, each training's own, in place of what they are; empty without it."""
    if arguments.steps is None:
        return {}
    first, second = arguments.steps
    return {"stage1": replace(config.stage1, steps=first), "stage2": replace(config.stage2, steps=second)}


def sizes(arguments: Arguments) -> bool:
    """Whether the steps of a new sweep follow from --hours."""
    varied = any(setting == "steps" for setting, _, _ in arguments.vary)
    return arguments.hours is not None and arguments.steps is None and not varied

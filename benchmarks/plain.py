"""What one writes without this platform: Ray Tune and OptunaSearch as their documentation shows them.

Each trial trains both stages from nothing and reports its rate and accuracy; nothing is shared, conditioned or stopped.
"""

import functools
import time
from dataclasses import replace
from pathlib import Path

import torch
from ray import tune
from ray.tune.search.optuna import OptunaSearch

from datagen import dataset, generate
from datagen.dataset import TextImages
from models.codecs import registry as codecs
from models.files.model import TrainedCodec
from models.recognizers import ensemble
from sweep.config import SweepConfig
from sweep.results.point import Identity, Point
from sweep.stages.strategies import INDEPENDENT
from sweep.training.loop import train_stage
from sweep.training.objectives import objective_of
from sweep.trials.evaluate import evaluate, validate
from sweep.trials.trial import Data


def sweep(config: SweepConfig, folder: Path) -> list[Point]:
    """The points of the trials, on as many images in all as the configuration's own strategy trains on."""
    config = INDEPENDENT.split_budget(config)
    generate.ensure(config.data, folder)
    train, val, test = (dataset.load(folder, split) for split in ("train", "val", "test"))
    data = Data(train, TextImages(val.images[: config.search.val_images], val.texts[: config.search.val_images]), test)
    low, high = config.search.lambdas[-1], config.search.lambdas[0]
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(_train, config=config, data=data), {"cpu": 1}),
        param_space={"lambda": tune.loguniform(low, high), "beta": tune.loguniform(*config.search.betas)},
        tune_config=tune.TuneConfig(
            search_alg=OptunaSearch(metric=["val_bpp", "val_accuracy"], mode=["min", "max"], seed=config.seed),
            num_samples=config.search.budget,
        ),
        run_config=tune.RunConfig(storage_path=str((folder.parent / "plain").absolute()), verbose=0),
    )
    return [result.metrics["point"] for result in tuner.fit() if result.metrics]


def _train(params: dict[str, float], config: SweepConfig, data: Data) -> None:
    torch.set_num_threads(1)
    started = time.perf_counter()
    recognizer = ensemble.load(config.recognizers)
    torch.manual_seed(config.seed)
    codec = codecs.build(config.codec)
    weights = {"rate_weight": params["lambda"]}
    stages = (replace(config.stage1, **weights), replace(config.stage2, **weights, ocr_weight=params["beta"]))
    for stage, reader in zip(stages, (None, recognizer), strict=True):
        images = functools.partial(dataset.batches, data.train, stage.batch_size, config.seed)
        train_stage(codec, objective_of(stage, None, reader), images, stage)
    seconds = time.perf_counter() - started
    trained = TrainedCodec(codec, config.codec, config.recognizer_identity, {}, config.canvas)
    seen, measured = validate(trained, recognizer, data.val), evaluate(trained, recognizer, data.test)
    identity = Identity(tune.get_context().get_trial_id() or "", "tfic", config.codec, params["lambda"], params["beta"])
    point = Point(identity=identity, status="complete", test=measured, val=seen, train_seconds=seconds)
    tune.report({"val_bpp": seen.bpp, "val_accuracy": seen.accuracy, "point": point})

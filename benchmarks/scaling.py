"""How well a sweep uses 1 to 256 workers, simulated, and what training together gives by a model of a step.

python benchmarks/scaling.py [--workers 1 4 16 64 256] [--strategies shared independent]
"""

from dataclasses import dataclass

import tyro

from models.codecs import registry as codecs
from models.codecs.conditioning import ConditionedCodec
from sweep import presets
from sweep.config import override
from sweep.names import STRATEGIES, StrategyName
from sweep.simulation.formula import Workload
from sweep.simulation.simulation import Autoscaler, Outcome, Simulation
from sweep.stages import tree

TRIALS = 4
"""For each worker."""
AUTOSCALER = Autoscaler(boot=240.0, idle=600.0)
"""ray_cluster.yaml's patience, and four minutes in which a machine on AWS starts and is set up: an assumption."""
STEP_SECONDS = {"launched": 0.045, "image": 1.58e-4}
"""Of stage 2 of mbt2018-mean on an H200: starting kernels one by one (30 to 60 ms measured), and an image, by the
difference of the measured 1,416 images/s at a batch of 16 and 5,190 at 256."""
ALONE_SECONDS = 8.8e-3
"""Of a step on one GPU that repeats what it recorded, beside its images, by the same two speeds."""
LINKS = {"NVLink, 150 GB/s": 150e9, "100 Gbit/s": 12.5e9, "10 Gbit/s": 1.25e9}
"""Bytes per second in which a GPU sends and receives: assumptions."""
GPUS = (1, 2, 4, 8, 16, 64)


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Simulates sweeps with four trials a worker, each as long as the preset `cpu` trains, from a random search."""

    workers: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    strategies: tuple[StrategyName, ...] = STRATEGIES
    train_all: bool = False
    """Without early stopping."""


def main() -> None:
    """Prints two tables."""
    arguments = tyro.cli(Arguments)
    print("share of the workers' time in which they work: of all from start to end / of those that are paid for")
    print(f"{'workers':12}", *(f"{workers:>9}" for workers in arguments.workers))
    for strategy in arguments.strategies:
        print(f"{strategy:12}", end="", flush=True)
        for workers in arguments.workers:
            print(f" {_cell(strategy, workers, train_all=arguments.train_all):>9}", end="", flush=True)
        print()
    print(f"\nshare of {max(GPUS)} or fewer GPUs' time that training together uses, stage 2 of mbt2018-mean")
    gradient = gradient_bytes("mbt2018-mean")
    print(f"{gradient / 1e6:.0f} MB of gradients a step; GPUs:", *GPUS)
    for each in (16, 256):
        for name, bandwidth in LINKS.items():
            shares = (speedup(gpus, each, gradient, bandwidth) / gpus for gpus in GPUS)
            print(f"{each} images a GPU, {name:18}", *(f"{share:6.0%}" for share in shares))


def _cell(strategy: StrategyName, workers: int, *, train_all: bool) -> str:
    fixed, scaled = (simulated(strategy, workers, scaler, train_all=train_all) for scaler in (None, AUTOSCALER))
    return f"{100 * fixed.busy / fixed.paid:.0f}/{100 * scaled.busy / scaled.paid:.0f}%"


def simulated(strategy: StrategyName, workers: int, autoscaler: Autoscaler | None, *, train_all: bool) -> Outcome:
    """A sweep with so many workers and four times as many trials."""
    config = override(
        presets.cpu(),
        strategy=strategy,
        budget=TRIALS * workers,
        # Its proposals take no time, and their lengths are what TPE's are.
        sampler="random",
        early_stopping=not train_all,
    )
    return Simulation(config, workers, Workload(), autoscaler=autoscaler).run()


def gradient_bytes(codec: str) -> int:
    """Bytes that each step adds up over the workers: float32, of the conditioned codec."""
    conditioned = ConditionedCodec(codecs.build(codec), tree.plane(presets.paper()))
    return sum(4 * parameter.numel() for parameter in conditioned.parameters() if parameter.requires_grad)


def speedup(gpus: int, each: int, gradient: int, bandwidth: float) -> float:
    """Images per second over those of one GPU with as many images a step, none of the sum hidden behind the passes.

    Args:
        each: images of a GPU a step.
        gradient: bytes that are added up in a ring: each GPU sends nearly two times as many.
        bandwidth: bytes per second.
    """
    alone = ALONE_SECONDS + each * STEP_SECONDS["image"]
    if gpus == 1:
        return 1.0
    passes = max(STEP_SECONDS["launched"], alone)
    return gpus * alone / (passes + 2 * (gpus - 1) / gpus * gradient / bandwidth)


if __name__ == "__main__":
    main()

from collections import Counter
from dataclasses import replace
from statistics import fmean

import pytest

from sweep import presets, simulate
from sweep.config import SweepConfig, override
from sweep.names import StrategyName
from sweep.results.pareto import front, hypervolume
from sweep.simulation.formula import Workload
from sweep.simulation.simulation import Autoscaler, Outcome, Simulation
from sweep.stages.strategies import STRATEGIES


def configured(strategy: StrategyName, **fields: object) -> SweepConfig:
    return STRATEGIES[strategy].split_budget(override(presets.cpu(), **fields))


def simulated(config: SweepConfig, workers: int = 4, failures: float = 0.0) -> Outcome:
    return Simulation(config, workers, Workload(), failures).run()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("failures", [0.0, 0.3])
def test_every_trial_has_an_end_and_nothing_is_trained_twice(strategy: StrategyName, failures: float) -> None:
    outcome = simulated(configured(strategy, budget=40), failures=failures)
    assert len(outcome.statuses) == 40
    assert max(Counter(outcome.trained).values()) == 1
    assert outcome.busy <= 4 * outcome.seconds
    assert ("failed" in outcome.statuses) == (failures > 0)


def test_the_same_seed_gives_the_same_sweep() -> None:
    config = configured("shared", budget=24)
    assert simulated(config) == simulated(config)
    assert simulated(config) != simulated(replace(config, seed=1))


def test_more_workers_are_faster_and_cost_no_more() -> None:
    config = configured("shared", budget=40, early_stopping=False)
    one, four = (simulated(config, workers) for workers in (1, 4))
    assert one.busy == pytest.approx(four.busy, rel=0.01)
    assert one.seconds == pytest.approx(one.busy)
    assert four.seconds < one.seconds / 3


def tiny(strategy: StrategyName, **fields: object) -> SweepConfig:
    """Stages of 10 seconds each, one lambda; each trial is trained to its end."""
    stage = replace(presets.cpu().stage1, steps=100, batch_size=16)
    named = {"lambdas": (0.1,), "early_stopping": False, "sampler": "random"}
    return override(presets.cpu(), strategy=strategy, stage1=stage, stage2=stage, **named, **fields)


TINY = Workload(image=1 / 160, reading=1.0, point=2.0, together=1.0, share=4)


def test_a_trial_that_stands_alone_does_not_wait_for_base_points() -> None:
    # The base point takes 12 seconds, each trial 22.
    outcome = Simulation(tiny("independent", budget=3), 4, TINY).run()
    assert outcome[:3] == pytest.approx((22.0, 78.0, 88.0))
    # Where nobody knows yet how long a trial takes, base points come first.
    assert Simulation(tiny("independent", budget=3), 4, TINY).run(deadline=1e6).seconds == pytest.approx(34.0)


def test_a_trial_waits_for_the_stage_that_it_starts_from() -> None:
    outcome = Simulation(tiny("shared", budget=3), 4, TINY).run()
    assert outcome[:3] == pytest.approx((24.0, 48.0, 96.0))


def test_a_team_is_no_larger_than_the_shares_of_its_batch() -> None:
    # Two stages by 4 of 8 workers; between them a base point, after them eight trials at once.
    outcome = Simulation(tiny("conditional", budget=8), 8, TINY).run()
    assert outcome[:3] == pytest.approx((2.5 + 2 + 2.5 + 2, 10 + 2 + 10 + 8 * 2, 8 * 9))


def test_an_autoscaler_lets_go_of_who_waits_for_the_first_stage() -> None:
    # One worker starts, 100 s, and measures the base point; two more start for the trials of 12 seconds.
    outcome = Simulation(tiny("shared", budget=3), 4, TINY, autoscaler=Autoscaler(100.0, 50.0)).run()
    assert outcome.seconds == pytest.approx(100 + 12 + 100 + 12)
    assert outcome.paid == pytest.approx((100 + 12 + 12 + 50) + 2 * (100 + 12))


def kept_by_early_stopping(**fields: object) -> float:
    """Share of the hypervolume."""
    # Nothing stops stage 1: half of the whole is saved where stage 2 is most of it.
    preset = presets.cpu()
    stages = {"stage1": replace(preset.stage1, steps=5_000), "stage2": replace(preset.stage2, steps=14_000)}
    # Split over as many trials, `independent` reads so little that its front is noise.
    config = configured("shared", budget=96, **stages, **fields)
    whole, stopped = (simulated(override(config, early_stopping=early)) for early in (False, True))
    assert set(whole.statuses) == {"complete"}
    assert stopped.busy < 0.6 * whole.busy
    rates = [point.bpp for point in front(stopped.points)]
    assert rates[0] < 0.05
    assert rates[-1] > 0.15
    return hypervolume(stopped.points) / hypervolume(whole.points)


def test_early_stopping_saves_half_and_keeps_the_front() -> None:
    assert kept_by_early_stopping(betas=(2e-3, 0.2)) > 0.97


def test_over_the_presets_betas_early_stopping_keeps_as_much_on_average() -> None:
    assert fmean(kept_by_early_stopping(seed=seed) for seed in range(3)) > 0.97


def test_no_trial_starts_that_would_end_after_the_deadline() -> None:
    config = configured("conditional", budget=64)
    whole = simulated(config)
    cut = Simulation(config, 4, Workload()).run(deadline=whole.seconds - 60)
    assert whole.seconds - 75 < cut.seconds <= whole.seconds - 60
    assert len(cut.statuses) < 64


def test_the_first_trials_are_none_that_would_end_after_the_deadline() -> None:
    config = configured("independent", budget=16)
    sweep = [Simulation(config, 16, Workload()).run(deadline) for deadline in (1.0, 1e6)]
    assert [len(outcome.statuses) for outcome in sweep] == [0, 16]


def test_a_sweep_whose_trials_all_fail_ends_early() -> None:
    outcome = simulated(configured("shared", budget=64), failures=1.0)
    assert set(outcome.statuses) == {"failed"}
    assert len(outcome.statuses) < 16


@pytest.mark.slow
def test_ten_thousand_trials_keep_256_workers_busy() -> None:
    cpu = presets.cpu()
    stage2 = replace(cpu.stage2, steps=1_400_000, batch_size=32)
    stages = {"stage1": replace(cpu.stage1, steps=6), "stage2": stage2}
    outcome = simulated(configured("shared", budget=10_000, sampler="random", **stages), 256, failures=0.01)
    assert len(outcome.statuses) == 10_000
    assert 1 / 9 * 0.9 < outcome.statuses.count("complete") / 10_000 < 1 / 4
    assert outcome.busy > 0.9 * 256 * outcome.seconds


@pytest.mark.parametrize(
    "wrong", [("--image-ms", "0"), ("--boot", "-1"), ("--failures", "2"), ("--hours", "nan"), ("--workers", "0")]
)
def test_arguments_that_cannot_be_simulated_are_refused(
    wrong: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["simulate", "--preset", "smoke", "--budget", "2", *wrong])
    assert simulate.main() == 2
    assert " ".join(wrong) in capsys.readouterr().err

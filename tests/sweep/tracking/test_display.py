import io
import re
from dataclasses import replace

import pytest
from rich.console import Console
from rows import frame, point

from sweep.config import override
from sweep.presets import smoke
from sweep.results.point import Identity
from sweep.stages import tree, work
from sweep.stages.strategies import CONDITIONAL, INDEPENDENT, SHARED, Strategy
from sweep.tracking.display import BEST, Display, clock
from sweep.training.loop import Progress

BASE = {"point_id": "a", "kind": "base", "lambda": 0.01, "beta": 0.0}
IDENTITY = Identity("a", "base", rate_weight=0.01, ocr_weight=0.0)
TRAINING = Progress(20, 80, 0.05, 0.02, 0.3, None, 1e-3, 5.0)


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


def shown(screen: io.StringIO, terminal: bool) -> Display:
    return Display(smoke(), Console(file=screen, force_terminal=terminal, width=120))


def test_a_log_tells_phase_points_and_time_left(screen: io.StringIO) -> None:
    display = shown(screen, terminal=False)
    with display.live():
        first, second = CONDITIONAL.shared_nodes(smoke())
        display.expect([first, second], points=5, trial=[], trials=0)
        display.phase("stage 1", 3)
        display.progressed(IDENTITY, TRAINING._replace(step=10))
        display.progressed(IDENTITY, TRAINING)
        display.phase("stage 2", 2)
    lines = screen.getvalue().splitlines()
    assert lines[0].startswith("starting Ray | 0 of 2 points | 0:00 gone, time left: not known yet")
    assert "stage 1 | 0 of 2 points" in lines[1]
    assert lines[2].startswith("stage 2")
    assert " left" in lines[2]
    assert "not known" not in lines[2]


def test_training_that_all_points_share_counts_steps_and_then_is_gone(screen: io.StringIO) -> None:
    display = shown(screen, terminal=True)
    node = tree.conditioned1(smoke())
    display.expect([node], points=0, trial=[], trials=0)
    display.phase("training", node.stage.steps)
    display.trained(node, TRAINING._replace(workers=2))
    Console(file=screen, width=120).print(display._panel())
    assert "stage 1 by 2 workers: step 20 of 80" in screen.getvalue()
    display.trained(node, TRAINING._replace(step=80))
    assert display._running == {}
    assert display._work_done == pytest.approx(display._work)


def test_a_sweep_that_was_sized_counts_its_own_steps_at_the_costs_that_were_measured(screen: io.StringIO) -> None:
    display = shown(screen, terminal=False)
    sized = replace(override(smoke(), budget=9), stage1=replace(smoke().stage1, steps=200))
    display.resize(sized, work.Costs(reading=2.0, testing=1.0), ending=3600.0)
    node = tree.conditioned1(sized)
    display.expect([node], points=0, trial=[], trials=1)
    for step in (100, 200):
        display.trained(node, TRAINING._replace(step=step, steps=200))
    assert display._work - display._work_done == pytest.approx(work.measuring(sized, work.Costs(testing=1.0)))
    display.phase("searching")
    assert re.search(r"searching \| 0 of 9 points \| 0:\d\d gone, 1:00:\d\d left", screen.getvalue())


def test_time_that_goes_into_baselines_tells_nothing_of_the_time_left(
    screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    display = shown(screen, terminal=False)
    node = tree.conditioned1(smoke())
    display.expect([node], points=0, trial=[], trials=0)
    display.phase("training", node.stage.steps)
    display.trained(node, TRAINING._replace(step=10))
    now += 10
    display.trained(node, TRAINING._replace(step=40))
    expected = display._left()
    for name in ("measuring what needs no training", "measuring more"):
        display.phase(name)
        now += 600
        row = {"point_id": name, "kind": "classical", "status": "complete", "bpp": 0.1, "accuracy": 0.5}
        display.finished(point(**row), frame(row))
        assert display._left() == expected == "0:13 left"


@pytest.mark.parametrize("strategy", [SHARED, INDEPENDENT])
def test_the_work_of_all_trials_is_done_when_they_have_ended(strategy: Strategy, screen: io.StringIO) -> None:
    config = strategy.split_budget(smoke())
    display = Display(config, Console(file=screen))
    display.expect([], points=0, trial=strategy.trial_nodes(config), trials=3)
    first = TRAINING._replace(step=config.stage1.steps, steps=config.stage1.steps)
    second = TRAINING._replace(step=config.stage2.steps, steps=config.stage2.steps, ocr=1.0)
    done = []
    for name, status in (("a", "complete"), ("b", "stopped"), ("c", "failed")):
        row = {"point_id": name, "kind": "tfic", "lambda": 0.01, "beta": 0.1, "status": status}
        row |= {"bpp": 0.1, "accuracy": 0.5, "val_bpp": 0.1, "val_accuracy": 0.5}
        seen = [first, second] if strategy is INDEPENDENT else [second]
        for told in seen if status == "complete" else seen[:1]:
            before = display._work_done
            display.progressed(point(**row).identity, told)
            assert display._work_done > before
        display.finished(point(**row), frame(row))
        done.append(display._work - display._work_done)
    assert done[0] > done[1] > done[2] == pytest.approx(0)


def test_every_mishap_of_a_training_is_a_line(screen: io.StringIO) -> None:
    display = shown(screen, terminal=True)
    node = tree.conditioned1(smoke())
    for skipped, halvings in ((0, 0), (1, 0), (1, 0), (0, 1)):
        display.trained(node, TRAINING._replace(skipped=skipped, halvings=halvings))
    assert [line.strip() for line in screen.getvalue().splitlines()] == [
        "stage 1, step 20: 1 updates left out, whose gradients were not finite",
        "stage 1, step 20: it diverged and went on at 1/2 of the learning rate",
    ]


def test_a_finished_or_failed_point_is_a_line(screen: io.StringIO) -> None:
    display = shown(screen, terminal=False)
    complete = BASE | {"status": "complete", "bpp": 0.1234, "accuracy": 0.5}
    display.finished(point(**complete), frame(complete))
    failed = {"point_id": "b", "kind": "tfic", "lambda": 0.01, "beta": 0.1, "status": "failed", "reason": "nan"}
    display.finished(point(**failed), frame(complete, failed))
    assert screen.getvalue().splitlines() == [
        "base λ=0.01: 0.1234 bpp, accuracy 0.500",
        "tfic λ=0.01 β=0.1 failed: nan",
    ]


@pytest.mark.parametrize("reason", ["[/pytorch/x/pair.cc:534] closed", "[enforce fail at x.cc:664] no memory", "[red]"])
def test_reasons_and_names_are_shown_without_taking_them_for_markup(screen: io.StringIO, reason: str) -> None:
    display = shown(screen, terminal=False)
    failed = BASE | {"status": "failed", "reason": reason}
    display.finished(point(**failed), frame(failed))
    stopped = BASE | {"status": "stopped", "reason": reason, "val_bpp": 0.1, "val_accuracy": 0.5}
    display.finished(point(**stopped), frame(stopped))
    display.print(f"report:  runs/{reason}")
    display.reread(point(**failed), {reason: 0.5})
    display.phase(reason)
    assert [reason in line for line in screen.getvalue().splitlines()] == [True] * 5


def test_a_terminal_shows_the_front_and_what_is_training(screen: io.StringIO) -> None:
    display = shown(screen, terminal=True)
    complete = BASE | {"status": "complete", "bpp": 0.1234, "accuracy": 0.5}
    display.show(frame(complete))
    display.progressed(Identity("c", "base", rate_weight=0.02, ocr_weight=0.0), TRAINING)
    Console(file=screen, width=120).print(display._panel())
    said = screen.getvalue()
    assert "0.1234" in said
    assert "base λ=0.02: step 20 of 80, bpp 0.3, mse 0.02" in said


def test_a_long_front_is_thinned_and_keeps_its_best_point() -> None:
    display = shown(io.StringIO(), terminal=False)
    rows = [
        {"point_id": str(i), "kind": "tfic", "status": "complete", "bpp": 0.01 * i, "accuracy": 0.02 * i}
        | {"lambda": 0.1, "beta": 0.1}
        for i in range(1, 31)
    ]
    display.show(frame(*rows))
    console = Console(file=io.StringIO(), record=True, width=120)
    console.print(display.table())
    text = console.export_text()
    assert "the front: 30" in text
    assert "0.3000" in text
    assert text.count("tfic") <= BEST


@pytest.mark.parametrize(("seconds", "shown_as"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00")])
def test_times_read_as_clocks(seconds: float, shown_as: str) -> None:
    assert clock(seconds) == shown_as

"""A search that goes on, after a driver was killed or a trial interrupted."""

import itertools
import random
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from searches import Result, answer, proposed, recorded, states, tell

from sweep.config import SweepConfig, override
from sweep.errors import SweepError
from sweep.names import SamplerName
from sweep.presets import cpu, smoke
from sweep.results.point import Point
from sweep.search import proposals
from sweep.search.front_search import FrontSearch
from sweep.search.proposals import ORIGINS, Params, PointKey
from sweep.search.samplers import SAMPLERS
from sweep.search.study import NAME, journal
from sweep.stages.strategies import CONTINUED, SHARED


def test_a_killed_drivers_proposals_come_first_in_the_next(tmp_path: Path) -> None:
    killed = FrontSearch(smoke(), journal(tmp_path))
    done = proposed(killed, "done")
    tell(killed, "done", answer(0.1, 0.5))
    lost = proposed(killed, "lost")
    resumed = FrontSearch(smoke(), journal(tmp_path), [recorded(done, smoke(), answer(0.1, 0.5))])
    assert proposed(resumed, "again") == lost != done
    assert states(resumed)[TrialState.COMPLETE] == 1
    assert states(resumed)[TrialState.RUNNING] == 1


def test_a_point_that_a_killed_driver_had_recorded_is_not_proposed_again(tmp_path: Path) -> None:
    killed, rows = FrontSearch(smoke(), journal(tmp_path)), []
    for trial, result in (("done", answer(0.1, 0.5)), ("diverged", answer(0.1, 0.5, "failed"))):
        rows.append(recorded(proposed(killed, trial), smoke(), result))
    resumed = FrontSearch(smoke(), journal(tmp_path), rows)
    assert states(resumed) == {TrialState.COMPLETE: 1, TrialState.FAIL: 1}
    known = [(each.identity.rate_weight, each.identity.ocr_weight) for each in rows]
    point = proposed(resumed, "next")
    assert point is not None
    assert proposals.weights(point, smoke()) not in known


@pytest.mark.parametrize("drawn", [[], ["lambda"]])
def test_a_driver_that_died_while_it_drew_a_point_hinders_no_resume(drawn: list[str], tmp_path: Path) -> None:
    FrontSearch(smoke(), journal(tmp_path))
    study = optuna.load_study(study_name=NAME, storage=journal(tmp_path))
    first = proposals.first_points(smoke())
    for point in first:
        study.enqueue_trial(point)
    for _ in (*first, "the sampler's"):
        trial = study.ask()
        for name in drawn:
            trial.suggest_float(name, *sorted(smoke().search.lambdas), log=True)
    study.enqueue_trial(first[0])
    resumed = FrontSearch(smoke(), journal(tmp_path))
    expected = [(point["lambda"], point["beta"]) for point in first]
    assert [proposals.weights(proposed(resumed, str(name)), smoke()) for name in range(len(first))] == expected
    assert resumed.suggest("next")


def test_trials_that_were_under_way_come_before_trials_that_never_started(tmp_path: Path) -> None:
    killed = FrontSearch(cpu(), journal(tmp_path))
    done = proposed(killed, "done")
    tell(killed, "done", answer(0.1, 0.5))
    lost = [proposed(killed, name) for name in "ab"]
    resumed = FrontSearch(cpu(), journal(tmp_path), [recorded(done, cpu(), answer(0.1, 0.5))])
    assert [proposed(resumed, name) for name in "ab"] == lost
    expected = [(point["lambda"], point["beta"]) for point in proposals.first_points(cpu())[3:]]
    assert [proposals.weights(proposed(resumed, name), cpu()) for name in "cde"] == expected


def test_the_journal_is_an_optuna_study(tmp_path: Path) -> None:
    FrontSearch(smoke(), journal(tmp_path)).suggest("a")
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "optuna.log")))
    study = optuna.load_study(study_name=NAME, storage=storage)
    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MAXIMIZE"]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_interrupted_search_proposes_what_an_undisturbed_one_does(sampler: SamplerName, tmp_path: Path) -> None:
    def proposals(folder: Path, kills: set[int]) -> list[Params]:
        searcher, found, rows = FrontSearch(config, journal(folder)), [], []
        for number in range(14):
            if number in kills:
                proposed(searcher, "lost")
                searcher = FrontSearch(config, journal(folder), rows)
            found.append(proposed(searcher, str(number)))
            result = answer(number / 100, 1 / (1 + number))
            tell(searcher, str(number), result)
            rows.append(recorded(found[-1], config, result))
        return found

    config = override(smoke(), sampler=sampler, budget=14)
    assert proposals(tmp_path / "a", {1, 4, 9}) == proposals(tmp_path / "b", set())


def test_a_trial_that_was_interrupted_keeps_its_origins(tmp_path: Path) -> None:
    config = CONTINUED.split_budget(smoke())
    searcher = FrontSearch(config, journal(tmp_path))
    rows = [recorded(proposed(searcher, name), config, answer(0.1, 0.5)) for name in "ab"]
    lost = [proposed(searcher, name) for name in "cd"]
    for name in "ab":
        tell(searcher, name, answer(0.1, 0.5))
    # Another that has finished meanwhile is no origin of theirs.
    resumed = FrontSearch(config, journal(tmp_path), rows)
    assert [proposed(resumed, name) for name in "cd"] == lost
    assert [point[ORIGINS] for point in lost] == [(), ()]


def sweep(config: SweepConfig, folder: Path, rows: list[Point], marks: list[int]) -> None:
    """What a driver of one worker does until it has its rows; `marks` are the journal's bytes at each row's birth."""

    def record(point: Params, result: Result) -> None:
        rows.append(recorded(point, config, result))
        marks.append((folder / "optuna.log").stat().st_size)

    searcher = FrontSearch(config, journal(folder), rows)
    for number in itertools.count():
        if len(rows) == config.search.budget or (point := searcher.suggest(str(number))) is None:
            return
        result = outcome(proposals.point_key(point, config))
        # As Tune has it: of a failure the search hears first.
        if result.status == "failed":
            searcher.failed(str(number))
            record(point, result)
        else:
            record(point, result)
            if result.status == "stopped":
                searcher.reached(str(number), 1, result.reached.objectives)
            tell(searcher, str(number), result)


def outcome(name: PointKey) -> Result:
    """What a point trains and measures in no time: equal each time."""
    draw = random.Random(str(name))
    status = draw.choices(("complete", "stopped", "failed"), (6, 2, 1))[0]
    return answer(draw.random(), draw.random(), status)


@pytest.mark.parametrize(
    "config",
    [
        override(SHARED.split_budget(smoke()), sampler="grid", budget=6),
        override(CONTINUED.split_budget(smoke()), budget=16, max_bpp=0.5),
        override(smoke(), sampler="qmc", budget=6),
        override(SHARED.split_budget(smoke()), sampler="random", budget=6, betas=(0.1, 0.1), vary=(("steps", 2, 4),)),
    ],
    ids=lambda config: config.search.sampler,
)
def test_the_same_points_come_out_whatever_the_moment_of_a_kill(
    config: SweepConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda file: None)
    calm, marks = [], []
    sweep(config, tmp_path / "calm", calm, marks)
    assert len(calm) == config.search.budget
    content = (tmp_path / "calm" / "optuna.log").read_bytes()
    ends = list(itertools.accumulate(len(line) for line in content.splitlines(keepends=True)))
    cuts = [*ends, *(end - 9 for end in ends)]
    # What learns takes ten points to begin.
    for cut in cuts[::4] if config.search.sampler == "tpe" else cuts:
        for count in {sum(mark < cut for mark in marks), sum(mark <= cut for mark in marks)}:
            folder = tmp_path / f"{cut}-{count}"
            folder.mkdir()
            (folder / "optuna.log").write_bytes(content[:cut])
            rows = calm[:count]
            sweep(config, folder, rows, [])
            assert rows == calm, cut


def test_a_lock_that_a_killed_driver_left_holds_nobody_up(tmp_path: Path) -> None:
    journal(tmp_path)
    (tmp_path / "optuna.log.lock").symlink_to("optuna.log")
    journal(tmp_path)
    assert not (tmp_path / "optuna.log.lock").is_symlink()


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    FrontSearch(smoke(), journal(tmp_path)).suggest("a")
    log = tmp_path / "optuna.log"
    log.write_bytes(log.read_bytes().replace(b"{", b"\0", 1))
    with pytest.raises(SweepError, match=r"optuna\.log is damaged.*move it away"):
        journal(tmp_path)


def test_without_its_journal_a_search_does_not_measure_anew(tmp_path: Path) -> None:
    config = override(smoke(), sampler="grid", budget=6)
    searcher = FrontSearch(config, journal(tmp_path / "lost"))
    points = [proposed(searcher, str(number)) for number in range(6)]
    rows = [recorded(point, config, answer(0.1, 0.5)) for point in points[:4]]
    again = FrontSearch(config, journal(tmp_path / "new"), rows)
    assert [again.suggest(str(number)) for number in range(3)] == [*points[4:], None]

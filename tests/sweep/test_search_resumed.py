"""A search that goes on, after a driver was killed or a trial interrupted."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from searches import answer, states

from sweep import proposals, search
from sweep.config import Sampler
from sweep.presets import continued, cpu, smoke
from sweep.search import FrontSearch
from sweep.study import NAME, journal


def test_a_killed_drivers_proposals_come_first_in_the_next(tmp_path: Path) -> None:
    killed = FrontSearch(smoke(), journal(tmp_path))
    done = killed.suggest("done")
    killed.on_trial_complete("done", answer(0.1, 0.5))
    lost = killed.suggest("lost")
    resumed = FrontSearch(smoke(), journal(tmp_path))
    assert resumed.suggest("again") == lost != done
    assert states(resumed)[TrialState.COMPLETE] == 1
    assert states(resumed)[TrialState.RUNNING] == 1


def test_what_a_killed_driver_had_recorded_is_not_proposed_again(tmp_path: Path) -> None:
    killed, rows = FrontSearch(smoke(), journal(tmp_path)), []
    for trial, status in (("done", "complete"), ("diverged", "failed")):
        point = killed.suggest(trial)
        assert point is not None
        rate_weight, ocr_weight = proposals.weights(point, smoke())
        rows.append({"lambda": rate_weight, "beta": ocr_weight} | answer(0.1, 0.5, status))
    resumed = FrontSearch(smoke(), journal(tmp_path), rows)
    assert states(resumed) == {TrialState.COMPLETE: 1, TrialState.FAIL: 1}
    known = [(row["lambda"], row["beta"]) for row in rows]
    point = resumed.suggest("next")
    assert point is not None
    assert proposals.weights(point, smoke()) not in known


@pytest.mark.parametrize("drawn", [{}, {"lambda": 0.01}])
def test_a_driver_that_died_while_it_drew_a_point_hinders_no_resume(drawn: dict[str, float], tmp_path: Path) -> None:
    FrontSearch(smoke(), journal(tmp_path))
    study = optuna.load_study(study_name=NAME, storage=journal(tmp_path))
    enqueued = len(study.get_trials(states=(TrialState.WAITING,)))
    for _ in range(enqueued + 1):
        trial = study.ask()
        for name, value in drawn.items():
            trial.suggest_float(name, value, 2 * value, log=True)
    resumed = FrontSearch(smoke(), journal(tmp_path))
    expected = [(point["lambda"], point["beta"]) for point in proposals.first_points(smoke())]
    assert [proposals.weights(resumed.suggest(str(name)), smoke()) for name in range(enqueued)] == expected
    assert isinstance(resumed.suggest("next"), dict)


def test_what_was_under_way_comes_before_what_never_started(tmp_path: Path) -> None:
    killed = FrontSearch(cpu(), journal(tmp_path))
    killed.suggest("done")
    killed.on_trial_complete("done", answer(0.1, 0.5))
    lost = [killed.suggest(name) for name in "ab"]
    resumed = FrontSearch(cpu(), journal(tmp_path))
    assert [resumed.suggest(name) for name in "ab"] == lost
    expected = [(point["lambda"], point["beta"]) for point in proposals.first_points(cpu())[3:]]
    assert [proposals.weights(resumed.suggest(name), cpu()) for name in "cde"] == expected


def test_the_journal_is_an_optuna_study(tmp_path: Path) -> None:
    FrontSearch(smoke(), journal(tmp_path)).suggest("a")
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "optuna.log")))
    study = optuna.load_study(study_name=NAME, storage=storage)
    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MAXIMIZE"]


@pytest.mark.parametrize("sampler", search.SAMPLERS)
def test_an_interrupted_search_proposes_what_an_undisturbed_one_does(sampler: Sampler, tmp_path: Path) -> None:
    def proposals(folder: Path, kills: set[int]) -> list[dict]:
        searcher, found = FrontSearch(config, journal(folder)), []
        for number in range(14):
            if number in kills:
                searcher.suggest("lost")
                searcher = FrontSearch(config, journal(folder))
            found.append(searcher.suggest(str(number)))
            searcher.on_trial_complete(str(number), answer(number / 100, 1 / (1 + number)))
        return found

    config = replace(smoke(), sampler=sampler)
    assert proposals(tmp_path / "a", {1, 4, 9}) == proposals(tmp_path / "b", set())


def test_one_that_was_interrupted_comes_again_in_the_next(tmp_path: Path) -> None:
    searcher = FrontSearch(smoke(), journal(tmp_path))
    point = searcher.suggest("a")
    searcher.on_trial_complete("a", answer(0.1, 0.5, search.INTERRUPTED))
    assert states(searcher)[TrialState.RUNNING] == 1
    again = FrontSearch(smoke(), journal(tmp_path))
    assert point in [again.suggest(name) for name in "ab"]


def test_one_that_was_interrupted_comes_from_where_it_came(tmp_path: Path) -> None:
    config = continued(smoke())
    searcher = FrontSearch(config, journal(tmp_path))
    searcher.suggest("a")
    searcher.on_trial_complete("a", answer(0.1, 0.5))
    searcher.suggest("b")
    lost = searcher.suggest("c")
    searcher.on_trial_complete("b", answer(0.1, 0.5))
    assert FrontSearch(config, journal(tmp_path)).suggest("again") == lost

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.tracking import outbox
from sweep.tracking.outbox import Entry, Outbox, RefusedError, StoreError


def step(number: int, curve: str | None = None) -> Entry:
    return Entry(time_ms=number, step=number, curve=curve)


def never(given: object) -> None:
    pytest.fail(f"{given} is not to be sent or told")


def opened(
    folder: Path, send: Callable[[Entry], None], tell: Callable[[Exception], None] = lambda error: None
) -> Outbox:
    box = Outbox(folder, send, tell)
    box.start()
    return box


def test_entries_that_a_store_missed_come_in_order_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "PAUSE", 0.01)
    tried: list[int] = []
    sent: list[int] = []
    told: list[Exception] = []

    def send(entry: Entry) -> None:
        tried.append(entry.step)
        if len(tried) % 3:
            raise StoreError("away")
        sent.append(entry.step)

    box = opened(tmp_path, send, told.append)
    for number in range(5):
        box.put(step(number))
    monkeypatch.setattr(outbox, "TRIES", 1000)
    assert box.settle(5) == 0
    assert (sent, list(map(str, told))) == ([0, 1, 2, 3, 4], ["away"])
    assert not list(tmp_path.iterdir())


def test_entries_that_one_process_could_not_send_are_sent_by_the_next(tmp_path: Path) -> None:
    first = Outbox(tmp_path, never, never)
    entries = [Entry(point={"point_id": "a"}, metrics={"bpp": 0.1}, params={"beta": "1"}), *map(step, range(9, 12))]
    for entry in entries:
        first.put(entry)
    (tmp_path / "000000000002.json").write_text('{"step"')
    sent: list[Entry] = []
    second = opened(tmp_path, sent.append)
    second.put(step(12))
    assert second.settle(5) == 0
    assert sent == [entries[0], *entries[2:], step(12)]


def test_what_another_process_sends_meanwhile_is_not_read(tmp_path: Path) -> None:
    first = Outbox(tmp_path, never, never)
    for number in range(3):
        first.put(step(number))
    kept = outbox._kept(tmp_path)
    assert next(kept)[1] == step(0)
    (tmp_path / "000000000002.json").unlink()
    assert [entry for _, entry in kept] == [step(2)]


def test_nobody_waits_for_a_store_that_never_answers(tmp_path: Path) -> None:
    answered = threading.Event()

    def silent(entry: Entry) -> None:
        answered.wait()

    box = opened(tmp_path, silent)
    for number in range(100):
        box.put(step(number))
    assert box.settle(0.05) == 100
    answered.set()
    assert box.settle(5) == 0


def test_a_store_that_always_fails_is_not_waited_for(tmp_path: Path) -> None:
    def away(entry: Entry) -> None:
        raise StoreError

    box = opened(tmp_path, away)
    box.put(step(1))
    assert box.settle(60) == 1


def test_an_entry_that_is_refused_does_not_hold_up_the_others(tmp_path: Path) -> None:
    sent: list[int] = []
    told: list[Exception] = []

    def send(entry: Entry) -> None:
        if entry.step % 2:
            raise RefusedError("odd")
        sent.append(entry.step)

    box = opened(tmp_path, send, told.append)
    for number in range(6):
        box.put(step(number))
    assert box.settle(5) == 0
    assert (sent, len(told)) == ([0, 2, 4], 3)


def test_a_mistake_of_ours_is_raised_where_the_sweep_sees_it_and_keeps_its_entry(tmp_path: Path) -> None:
    def mistaken(entry: Entry) -> None:
        raise KeyError(entry.step)

    box = opened(tmp_path, mistaken, never)
    box.put(step(7))
    with pytest.raises(KeyError, match="7"):
        box.settle(60)
    assert box.waiting() == [step(7)]


def test_too_many_steps_are_thinned_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LIMIT", 20)
    box = Outbox(tmp_path, never, never)
    kept = [step(-1), step(-2)]
    for number in range(200):
        box.put(step(number, "ab"[number % 2]))
        if number in (0, 100):
            box.put(kept[number // 100])
    waiting = box.waiting()
    assert len(waiting) == len(list(tmp_path.iterdir())) <= 20
    assert [entry for entry in waiting if entry.curve is None] == kept
    for curve, first in (("a", 0), ("b", 1)):
        steps = [entry.step for entry in waiting if entry.curve == curve]
        assert steps == sorted(steps)
        assert steps[0] == first
        assert steps[-1] >= 196


def test_a_file_is_copied_once_as_it_is_last(tmp_path: Path) -> None:
    box = Outbox(tmp_path, never, never)
    for entry in (step(1), Entry(file="front.png"), step(2), Entry(file="front.png")):
        box.put(entry)
    assert box.waiting() == [step(1), step(2), Entry(file="front.png")]

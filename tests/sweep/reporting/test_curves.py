"""Which curves a figure has, and how they are told apart."""

from rows import frame

from sweep.reporting import contents, curves
from sweep.reporting.contents import Contents


def test_curves_are_told_apart_without_color(found: Contents) -> None:
    drawn = curves.accuracy(found.drawn, found.bounds)
    looks = [(curve.marker, curve.dash) for curve in drawn if not curve.single]
    assert len(set(looks)) == len(looks)
    singles = [(curve.marker, curve.dash, curve.color) for curve in drawn if curve.single]
    assert len(set(singles)) == len(singles) == 2


def test_thirty_baselines_all_look_different() -> None:
    rows = [
        {"point_id": f"c{n}", "codec": f"c{n}", "kind": "classical", "status": "complete", "bpp": 0.1, "accuracy": 0.5}
        for n in range(30)
    ]
    looks = [(each.marker, each.dash, each.color) for each in curves.accuracy(frame(*rows)) if each.single]
    assert len(set(looks)) == 30


def test_the_best_without_training_is_drawn_in_both_countings_and_each_baseline_waits(found: Contents) -> None:
    drawn = {curve.name: curve for curve in curves.accuracy(found.frame, found.bounds)}
    best, own = drawn["best without training"], drawn["best without training, less repeated bytes"]
    assert own.table()["bpp"].to_list()[-1] == best.table()["bpp"].to_list()[-1] - 0.04
    hidden = ["front, less repeated bytes", "otsu-g4", "webp-grey-1/2"]
    assert [name for name, curve in drawn.items() if curve.hidden] == hidden
    assert drawn["the text itself, read on the device"].points["bpp"].to_list() == [0.004]


def test_a_curves_table_has_the_points_in_order_with_their_intervals(found: Contents) -> None:
    [front] = [curve for curve in curves.accuracy(found.frame, found.bounds) if curve.name.startswith("front, with")]
    table = front.table()
    assert table["bpp"].is_sorted()
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["accuracy_high"]).all()


def test_of_further_runs_the_front_alone_shows(found: Contents) -> None:
    drawn = curves.accuracy(found.frame, found.bounds)
    both = curves.overlaid([("a", drawn), ("b", drawn)])
    assert [curve.name for curve in both if curve.run and not curve.hidden] == ["b: front, with 95 % band"]
    fronts = [curve for curve in both if curve.banded]
    assert len({(curve.marker, curve.dash) for curve in fronts}) == 2
    assert curves.overlaid([("a", drawn)]) == drawn


def test_the_just_readable_files_stand_beside_the_front_with_their_intervals(found: Contents) -> None:
    kept = {curve.name: curve for curve in curves.accuracy(found.drawn, found.bounds)}["just readable, image by image"]
    table = kept.table()
    assert found.just_readable is not None
    assert table.select("bpp", "accuracy").row(0) == found.just_readable[:2]
    assert table["accuracy_low"][0] <= table["accuracy"][0] <= table["accuracy_high"][0]
    assert "Just readable, " in contents.summary(found)

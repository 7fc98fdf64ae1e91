"""The command that exports a codec: what it chooses, says and writes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import finished
import polars as pl
import pytest

from models.files.model import RateDial, TrainedCodec, load_model
from sweep import pick
from sweep.results import card, points
from sweep.results.folder import RunFolder

Pick = Callable[..., int]


@pytest.fixture
def picked(finished_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pick:
    """Calls the command on the finished run in an empty folder, to write model.pt there."""
    monkeypatch.chdir(tmp_path)

    def call(*wish: str, run: Path = finished_run.path, out: str = "model.pt") -> int:
        monkeypatch.setattr("sys.argv", ["pick", str(run), *wish, "--out", out])
        return pick.main()

    return call


@pytest.mark.parametrize(
    ("wish", "chosen"),
    [
        (("--max-bpp", "0.102"), "7f1d3"),
        # 0.1 on the test images, and more on the validation images, which decide.
        (("--max-bpp", "0.1"), "7f1c2"),
        (("--min-accuracy", "0.805"), "a04e5"),
        (("--knee",), "7f1d3"),
        (("--point", "b1"), "b15f6"),
        (("--point", "base-2"), "base-2"),
    ],
)
def test_a_wish_is_one_point_and_its_model(
    picked: Pick, wish: tuple[str, ...], chosen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = picked(*wish)
    said, complained = capsys.readouterr()
    assert code == 0, complained
    model = load_model(Path("model.pt"))
    assert isinstance(model, TrainedCodec)
    assert model.facts["point_id"] == chosen
    assert f"model card: {card.place(Path('model.pt'))}" in said
    assert f"`{chosen}`" in Path("model.md").read_text()


def test_what_was_chosen_stands_between_its_neighbors_in_test_figures_with_intervals(
    picked: Pick, capsys: pytest.CaptureFixture[str]
) -> None:
    assert picked("--max-bpp", "0.102") == 0
    first, _, *rows, _ = capsys.readouterr().out.splitlines()
    assert "chosen on validation images, at 0.1010 bpp and accuracy 0.710" in first
    assert "95 % intervals" in first
    assert [row.split()[:3] for row in rows] == [
        ["below", "7f1c2", "0.0500"],
        ["chosen", "7f1d3", "0.1000"],
        ["above", "a04e5", "0.2000"],
    ]
    assert all(row.count(" to ") == 2 for row in rows)
    assert picked("--max-bpp", "9") == 0
    assert "above   none on the front" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ((), "give exactly one of --max-bpp, --min-accuracy, --knee, --point, --dial; given: none"),
        (("--dial", "--knee"), "given: --knee, --dial"),
        (("--max-bpp", "0.01"), "the smallest needs 0.0511"),
        (("--max-bpp", "nan"), "--max-bpp nan must be a number above 0"),
        (("--min-accuracy", "0.99"), "the best reads 0.8600"),
        (("--min-accuracy", "80"), "--min-accuracy 80 must be a share of the characters, 0 to 1"),
        (("--max-bpp", "0"), "--max-bpp 0 must be a number above 0"),
        (("--point", "7f1"), "2 ids begin with '7f1'; give more of 7f1c2, 7f1d3"),
        (("--point", "7f9c2"), "the nearest: 7f1c2"),
    ],
)
def test_a_wish_that_cannot_be_met_is_a_line_and_leaves_no_file(
    picked: Pick, wish: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert picked(*wish) == 2
    complained = capsys.readouterr().err
    assert said in complained
    assert complained.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_dial_has_a_card_with_its_stops_along_the_front(picked: Pick, capsys: pytest.CaptureFixture[str]) -> None:
    assert picked("--dial", out="dial.pt") == 0
    assert "a dial from 0.0500 to 0.4000 bpp" in capsys.readouterr().out
    model = load_model(Path("dial.pt"))
    assert isinstance(model, RateDial)
    lines = Path("dial.md").read_text().splitlines()
    [start] = [number for number, line in enumerate(lines) if line.startswith("| `--quality`")]
    stops = [line.strip("| ").split(" | ") for line in lines[start + 2 : start + 2 + len(model.path)]]
    assert [int(stop[0]) for stop in stops] == [*range(0, 101, 10)]
    for (quality, *weights), stop in zip((stop[:3] for stop in stops), model.path, strict=True):
        assert [float(weight) for weight in weights] == pytest.approx([*stop], rel=1e-3), quality
    ends = [(stop[3], stop[4].partition(" ")[0]) for stop in (stops[0], stops[-1])]
    assert ends == [("0.0500", "0.500"), ("0.4000", "0.850")]


def test_a_run_without_readings_or_validation_figures_is_picked_from(
    picked: Pick, finished_run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As early releases left it."""
    old = tmp_path / "old"
    shutil.copytree(finished_run.path, old)
    (old / "readings.parquet").unlink()
    unknown = [pl.lit(None).alias(name) for name in ("val_bpp", "val_accuracy")]
    points.read(old).with_columns(unknown).write_parquet(old / "points.parquet")
    assert picked("--max-bpp", "0.1001", run=old) == 0
    said = capsys.readouterr().out
    assert f"tfic point {finished.FRONT[1]}" in said
    assert " to " not in said

"""What stands in the page and beside it, without a browser."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from sweep.presets import aimed
from sweep.reporting import page, papers, pictures, tables, write
from sweep.reporting.contents import Contents
from sweep.reporting.pictures import Pictures
from sweep.results.folder import RunFolder


@pytest.fixture(scope="module")
def written(run: RunFolder) -> Path:
    write.whole(run)
    return run.path


def content(path: Path) -> dict[str, Any]:
    """What the page's script reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_page_needs_nothing_but_itself(written: Path) -> None:
    text = (written / "report.html").read_text()
    outside = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r'(src|href)="(?!data:|#)', outside)
    assert "default-src 'none'" in text
    assert "{{" not in outside


def test_pictures_are_there_of_the_front_and_of_the_base_curve(written: Path, found: Contents) -> None:
    [shown] = content(written / "report.html")["pictures"]
    expected = {*found.front["point_id"], *found.frame.filter(kind="base")["point_id"]}
    assert set(shown["restored"]) == expected
    assert {len(images) for images in shown["restored"].values()} == {pictures.IMAGES}
    assert set(shown["said"]) == set(found.readings["point_id"])
    assert set(shown["near"].values()) <= expected


def test_every_point_is_a_row(written: Path, found: Contents) -> None:
    table = content(written / "report.html")["table"]
    at = table["columns"].index("point_id")
    assert [row[at] for row in table["rows"]] == found.frame["point_id"].to_list()
    assert {"accuracy_low", "accuracy_high", "accuracy_tesseract", "reason"} <= set(table["columns"])


def test_figures_for_papers_have_their_data_beside_them(written: Path) -> None:
    for name in ("front", "psnr", "plane", "reconstructions", "reliability", "confidence"):
        assert (written / "figures" / f"{name}.svg").read_text().startswith("<?xml")
        assert (written / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert len(pl.read_csv(written / "figures" / f"{name}.csv"))
    for name in papers.ROOT:
        with Image.open(written / f"{name}.png") as picture:
            picture.verify()


def test_an_unchanged_run_gives_the_same_figures_again(written: Path, found: Contents, images: Pictures) -> None:
    names = ("front.svg", "front.csv", "psnr.pdf")
    before = [(written / "figures" / name).read_bytes() for name in names]
    papers.write(found, images)
    assert [(written / "figures" / name).read_bytes() for name in names] == before


def test_several_runs_are_one_page(make_run: Callable[[str], RunFolder], run: RunFolder, tmp_path: Path) -> None:
    other = make_run("second <b>")
    said = write.several([run, other], tmp_path / "both.html")
    both = content(tmp_path / "both.html")
    assert [line.partition(":")[0] for line in said.splitlines()] == both["runs"] == ["first", "second <b>"]
    assert {row[0] for row in both["table"]["rows"]} == {"first", "second <b>"}
    assert len(set(both["table"]["keys"])) == len(both["table"]["rows"])
    assert "second <b>" not in (tmp_path / "both.html").read_text()


def test_a_run_without_readings_has_a_page_without_intervals_and_errors(run: RunFolder, tmp_path: Path) -> None:
    early = replace(run, path=tmp_path)
    for name in ("points.parquet", "config.json"):
        (tmp_path / name).write_bytes((run.path / name).read_bytes())
    write.whole(early)
    found = content(tmp_path / "report.html")
    assert found["errors"] == found["calibration"] == {}
    assert found["pictures"][0]["restored"] == {}


def test_times_are_those_of_all_points_of_a_codec(found: Contents) -> None:
    rows = {row[0]: row[1:] for row in tables.times([found])["rows"]}
    assert rows["base codec (stage 1)"] == [2, "6.0 ± 1.0", "30.0 ± 2.0", "0.20"]
    assert rows["uncompressed images"] == [1, "–", "30.0 ± 2.0", "–"]
    assert "webp-grey" in rows or "otsu-g4" in rows


def test_a_spread_between_points_counts_as_one_between_images() -> None:
    assert tables._pooled([(4.0, 3.0), (6.0, 3.0), (None, None)]) == pytest.approx((5.0, 10**0.5))
    assert tables._pooled([]) is None


def test_what_stands_in_the_page_ends_no_script() -> None:
    assert "</script" not in page._json({"text": "</script><script>"})


def test_two_layers_stand_where_the_base_curve_reaches_their_rate(found: Contents) -> None:
    of_images = replace(found.run, config=aimed(found.run.config, "image"))
    rows = tables.two_layers(replace(found, run=of_images))["rows"]
    assert [row[:2] for row in rows] == [["0.150", "0.100"], ["0.200", "0.100"]]
    assert tables.two_layers(found)["rows"] == []

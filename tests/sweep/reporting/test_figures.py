"""matplotlib's figures, from nothing on."""

import io

import polars as pl
from rows import frame

from sweep.reporting import figures, pictures
from sweep.reporting.contents import Contents
from sweep.reporting.figures import _tick, front_figure
from sweep.reporting.pictures import Pictures


def labels(points: pl.DataFrame) -> set[str]:
    figure = front_figure(points)
    figure.savefig(io.BytesIO())
    return set(figure.axes[0].get_legend_handles_labels()[1])


def test_a_front_is_drawn_from_nothing_on() -> None:
    plain = {"point_id": "u", "kind": "uncompressed", "status": "complete", "bpp": 24.0, "accuracy": 0.9}
    assert labels(frame()) == set()
    assert labels(frame(plain)) == {"uncompressed images"}


def test_the_front_has_a_band_where_its_points_have_intervals() -> None:
    tfic = {"point_id": "t", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6}
    columns = {"bpp_low": [0.1], "bpp_high": [0.1], "accuracy_low": [0.5], "accuracy_high": [0.7]}
    figure = front_figure(frame(tfic), pl.DataFrame({"point_id": ["t"]} | columns))
    assert set(figure.axes[0].get_legend_handles_labels()[1]) == {"front, with 95 % band"}
    assert len(figure.axes[0].collections) == 1
    assert labels(frame(tfic)) == {"front"}


def test_the_plot_tells_the_front_from_all_it_is_compared_with() -> None:
    base = {"point_id": "b", "kind": "base", "status": "complete", "bpp": 0.1, "accuracy": 0.4}
    tfic = {"point_id": "t", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6}
    worse = {"point_id": "v", "kind": "tfic", "status": "complete", "bpp": 0.2, "accuracy": 0.5}
    plain = {"point_id": "u", "kind": "uncompressed", "status": "complete", "bpp": 24.0, "accuracy": 0.9}
    webp = {"point_id": "w", "kind": "classical", "codec": "webp", "status": "complete", "bpp": 0.2, "accuracy": 0.5}
    expected = {"base codec (stage 1)", "other TFIC trials", "front", "uncompressed images", "best without training"}
    assert labels(frame(base, tfic, worse, plain, webp)) == expected


def test_other_readers_of_the_front_are_drawn() -> None:
    read = {"accuracy_tesseract": 0.3, "accuracy_rapidocr": None}
    tfic = {"point_id": "t", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6} | read
    assert labels(frame(tfic)) == {"front", "front as tesseract reads it"}


def test_rates_are_told_apart_on_the_axis() -> None:
    ticks = [_tick(digit / 100, 0) for digit in range(1, 11)]
    assert ticks == ["0.01", "0.02", "0.03", "0.04", "0.05", "", "0.07", "", "", "0.1"]


def test_reconstructions_say_by_a_sign_what_was_read_correctly(found: Contents, images: Pictures) -> None:
    figure = figures.reconstructions_figure(found, images)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["original", "base, 0.100 bpp", "TFIC, 0.100 bpp", "base, 0.200 bpp", "TFIC, 0.200 bpp"]
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert len(said) == len(titles) * pictures.IMAGES
    assert {text[0] for text in said} == {"✓", "✗"}

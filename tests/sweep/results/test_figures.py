import io

import polars as pl
from rows import frame

from sweep.results.figures import _tick, front_figure


def labels(points: pl.DataFrame) -> set[str]:
    figure = front_figure(points)
    figure.savefig(io.BytesIO())
    return set(figure.axes[0].get_legend_handles_labels()[1])


def test_a_front_is_drawn_from_nothing_on() -> None:
    plain = {"point_id": "u", "kind": "uncompressed", "status": "complete", "bpp": 24.0, "accuracy": 0.9}
    assert "Pareto front" in labels(frame())
    assert "uncompressed" in labels(frame(plain))


def test_the_front_has_a_band_where_its_points_have_intervals() -> None:
    tfic = {"point_id": "t", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6}
    bounds = pl.DataFrame({"point_id": ["t"], "accuracy_low": [0.5], "accuracy_high": [0.7]})
    figure = front_figure(frame(tfic), bounds)
    assert "95 % interval of the front" in set(figure.axes[0].get_legend_handles_labels()[1])


def test_the_plot_tells_the_front_from_all_it_is_compared_with() -> None:
    base = {"point_id": "b", "kind": "base", "status": "complete", "bpp": 0.1, "accuracy": 0.4}
    tfic = {"point_id": "t", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6}
    plain = {"point_id": "u", "kind": "uncompressed", "status": "complete", "bpp": 24.0, "accuracy": 0.9}
    webp = {"point_id": "w", "kind": "classical", "status": "complete", "bpp": 0.2, "accuracy": 0.5}
    webp["bpp_own"] = 0.19
    drawn = labels(frame(base, tfic, plain, webp))
    assert drawn == {
        "base codec (stage 1)",
        "TFIC (stage 2)",
        "Pareto front",
        "uncompressed",
        "the best without training",
        "the best without training, without repeated bytes",
    }


def test_other_readers_of_the_front_are_drawn() -> None:
    read = {"accuracy_tesseract": 0.3, "accuracy_rapidocr": None}
    tfic = {"point_id": "t", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6} | read
    assert "the front as tesseract reads it" in labels(frame(tfic))
    assert "the front as rapidocr reads it" not in labels(frame(tfic))


def test_rates_are_told_apart_on_the_axis() -> None:
    ticks = [_tick(digit / 100, 0) for digit in range(1, 11)]
    assert ticks == ["0.01", "0.02", "0.03", "0.04", "0.05", "", "0.07", "", "", "0.1"]

import polars as pl
from rows import frame

from sweep.figures import front_figure


def labels(points: pl.DataFrame) -> set[str]:
    return set(front_figure(points).axes[0].get_legend_handles_labels()[1])


def test_a_front_is_drawn_from_nothing_on() -> None:
    assert "Pareto front" in labels(frame())


def test_the_plot_tells_base_tfic_front_and_uncompressed_apart() -> None:
    base = {"point_id": "b", "kind": "base", "status": "complete", "bpp": 0.1, "accuracy": 0.4}
    tfic = {"point_id": "t", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6}
    plain = {"point_id": "u", "kind": "uncompressed", "status": "complete", "bpp": 24.0, "accuracy": 0.9}
    drawn = labels(frame(base, tfic, plain))
    assert drawn == {"base codec (stage 1)", "TFIC (stage 2)", "Pareto front", "uncompressed"}

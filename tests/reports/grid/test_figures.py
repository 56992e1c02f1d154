"""What the figures of the grid draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from reports.grid import figures
from reports.grid.data import NetworkData
from reports.page.style import INK
from studies.statistics.intervals import Estimate

TOP = math.sqrt(3) / 2


def network(
    coefficients: tuple[float, float, float], accuracy: float, equal: bool | None = False, *more: tuple
) -> NetworkData:
    mean = Estimate(accuracy, accuracy - 0.01, accuracy + 0.01, 3)
    return NetworkData(str(coefficients), coefficients, (coefficients, *more), coefficients, 2.0, 2e6, 3, mean, equal)


def panel() -> Axes:
    return Figure(layout="constrained").subplots()


@pytest.mark.parametrize(
    ("coefficients", "corner"),
    [((2, 1, 1), (0, 0)), ((1, 1.4, 1), (1, 0)), ((1, 1, 1.4), (0.5, TOP)), ((1.4, 1.2, 1), (0.48, 0))],
)
def test_a_corner_is_one_dimension_alone(coefficients: tuple[float, float, float], corner: tuple[float, float]) -> None:
    # log 1.4 / (log 1.4 + 2 log 1.2) = 0.48 goes to depth: the point lies 0.52 along the edge to width.
    place = figures.place(coefficients)
    expected = corner if coefficients != (1.4, 1.2, 1) else (1 - 0.4799, 0)
    assert place == pytest.approx(expected, abs=1e-3)


def drawn(ax: Axes, size: float) -> list[tuple[float, ...]]:
    return [
        tuple(np.ravel(one.get_offsets()).tolist()) for one in ax.collections
        if len(one.get_sizes()) and one.get_sizes()[0] == size and len(one.get_offsets())
    ]  # fmt: skip


def test_networks_twins_and_points_left_out_are_told_apart() -> None:
    ax = panel()
    twin = (1.9, 1.05, 1.0)
    found = [network((1, 1.4, 1), 0.63, True), network((2, 1, 1), 0.58, False, twin)]
    figures.triangle(figures.TriangleData(found, [(1.0, 1.0, 1.4)], {"EN's": (1.2, 1.1, 1.15)}), ax)
    assert drawn(ax, 120) == [pytest.approx((1, 0)), pytest.approx((0, 0))]
    assert drawn(ax, 22) == [pytest.approx(figures.place(twin))]
    crosses = [line for line in ax.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in crosses] == [pytest.approx((0.5, TOP))]
    outlines = [to_hex(one.get_edgecolors()[0]) for one in ax.collections if one.get_sizes()[0] == 120]
    assert outlines[0] == INK
    assert outlines[1] != INK


def test_the_best_is_starred_and_keys_name_only_what_is_there() -> None:
    ax = panel()
    figures.triangle(figures.TriangleData([network((1, 1.4, 1), 0.63, None)]), ax)
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["best"]
    again = panel()
    figures.triangle(figures.TriangleData([network((1, 1.4, 1), 0.63, True, (1, 1.3, 1.1))], [(2, 1, 1)]), again)
    (legend,) = again.figure.legends
    assert {"not significantly different from the best", "other points, same network", "left out"} <= {
        text.get_text() for text in legend.get_texts()
    }


def test_an_empty_grid_draws_its_triangle() -> None:
    ax = panel()
    figures.triangle(figures.TriangleData([]), ax)
    assert "all depth" in ax.texts[0].get_text()


def test_the_ranking_has_the_best_on_top_and_the_baseline() -> None:
    ax = panel()
    found = [network((1, 1.4, 1), 0.63, True), network((2, 1, 1), 0.58, False)]
    figures.ranking(found, Estimate(0.55, 0.54, 0.56, 3), ax)
    first, second = (one[0] for one in ax.containers)
    assert (first.get_xdata()[0], first.get_ydata()[0]) == (pytest.approx(63), 0)
    assert second.get_markerfacecolor() == "none"
    assert first.get_markerfacecolor() != "none"
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1/1.4/1", "2/1/1"]
    assert ax.yaxis_inverted()
    assert "baseline" in [text.get_text() for text in ax.texts]

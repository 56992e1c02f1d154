"""What the figures of scaling curves draw."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from reports.curves import figures
from reports.curves.data import Dot
from reports.page.metrics import axis_label, on_axis
from reports.page.scales import accuracy_limits, log_x, plain, whiskers
from reports.page.style import strategy_style
from search_spaces.resizing.registry import STRATEGIES
from studies.statistics.intervals import Estimate


def dot(curve: str, multiple: float, accuracy: float, *, upsampled: bool = False, latency: float = 0.002) -> Dot:
    return Dot(
        curve=curve, multiple=multiple, key=f"{curve}{multiple}", upsampled=upsampled, depth=multiple, width=1.0,
        resolution=1.0, asked=(multiple, 1.0, 1.0), input_px=16, layers=10,
        metrics={"macs": 1e6 * multiple, "params": 1e4 * multiple, "activations": 5e3 * multiple},
        latency=latency * multiple, seconds=3 * multiple, test={0: accuracy, 1: accuracy},
        accuracy=Estimate(accuracy, accuracy - 0.02, accuracy + 0.03, 2),
    )  # fmt: skip


LINE = [dot("baseline", 1, 0.6), dot("depth", 2, 0.65), dot("depth", 4, 0.68)]


def panels(rows: int = 1, columns: int = 1) -> list[Axes]:
    return list(np.ravel(Figure(layout="constrained").subplots(rows, columns, squeeze=False)))


def drawn(ax: Axes, label: str) -> ErrorbarContainer:
    return next(one for one in ax.containers if one.get_label() == label)  # type: ignore[return-value]


def test_a_line_has_its_networks_colour_marker_and_intervals() -> None:
    (ax,) = panels()
    figures.against_cost({"depth": LINE}, figures.MACS, ax)
    line, _, bars = drawn(ax, "depth")
    assert list(line.get_xdata()) == [1e6, 2e6, 4e6]
    assert list(line.get_ydata()) == pytest.approx([60, 65, 68])
    assert (line.get_color(), line.get_marker()) == (
        strategy_style("depth")["color"],
        strategy_style("depth")["marker"],
    )
    ends = [segment[:, 1].tolist() for segment in bars[0].get_segments() if len(segment) == 2]
    assert ends == [pytest.approx([63, 68]), pytest.approx([66, 71])]
    assert ax.get_xscale() == "log"
    assert "multiply-adds" in ax.get_xlabel()


def test_any_metric_is_an_axis_with_the_label_and_marks_of_its_row() -> None:
    lines = {"depth": [replace(one, metrics={**one.metrics, "my_metrics:fives": 3.0 * one.multiple}) for one in LINE]}
    for name, values in (("params", [1e4, 2e4, 4e4]), ("my_metrics:fives", [3, 6, 12])):
        (ax,) = panels()
        figures.against_cost(lines, figures.Quantity.of_metric(name), ax)
        assert list(drawn(ax, "depth")[0].get_xdata()) == values
        assert ax.get_xlabel() == axis_label(name)
        assert ax.xaxis.get_major_formatter()(values[0]) == on_axis(name, values[0])


def test_a_metric_that_is_not_known_draws_nothing() -> None:
    (ax,) = panels()
    figures.against_cost({"depth": LINE}, figures.Quantity.of_metric("training_memory"), ax)
    assert not ax.containers


def test_other_curves_have_a_look_of_their_own() -> None:
    """Exponents and a user's own look the same in every figure, and unlike the strategies of the registry."""
    for name in ("0:1:3", "my_scaling:deep"):
        look = strategy_style(name)
        assert look == strategy_style(name)
        assert look not in [strategy_style(known) for known in ("baseline", "compound-found", *STRATEGIES)]


def test_the_baseline_is_marked_once() -> None:
    (ax,) = panels()
    figures.against_cost({"depth": LINE, "width": [LINE[0], dot("width", 2, 0.66)]}, figures.MACS, ax)
    _, labels = ax.get_legend_handles_labels()
    assert labels.count("baseline") == 1


def test_upsampled_networks_are_hollow() -> None:
    (ax,) = panels()
    figures.against_cost({"resolution": [LINE[0], dot("resolution", 2, 0.7, upsampled=True)]}, figures.MACS, ax)
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
    assert [line.get_xdata()[0] for line in hollow] == [2e6]


def test_strategies_of_equal_cost_are_shifted_apart_but_hardly() -> None:
    (ax,) = panels()
    lines = {name: [LINE[0], dot(name, 2, 0.65)] for name in ("depth", "width", "fast")}
    figures.against_cost(lines, figures.MACS, ax, apart=True)
    places = [drawn(ax, name)[0].get_xdata()[1] for name in lines]
    assert len(set(places)) == 3
    assert places == pytest.approx([2e6] * 3, rel=0.02)


def test_costs_are_shown_in_their_units_and_what_was_not_measured_says_so() -> None:
    axes = panels(2, 2)
    figures.costs({"depth": [dot("baseline", 1, 0.6, latency=math.nan), dot("depth", 2, 0.65, latency=math.nan)]}, axes)
    assert drawn(axes[0], "depth")[0].get_xdata()[1] == 2e4
    assert "not measured" in axes[2].texts[0].get_text()
    again = panels(2, 2)
    figures.costs({"depth": LINE}, again)
    assert drawn(again[2], "depth")[0].get_xdata()[1] == pytest.approx(4)


def test_single_dimensions_are_drawn_against_their_own_multiplier() -> None:
    axes = panels(1, 2)
    figures.single_dimensions({"depth": LINE, "width": LINE[:2]}, axes)
    assert list(drawn(axes[0], "depth")[0].get_xdata()) == [1, 2, 4]
    assert [text.get_text() for text in axes[0].texts] == ["1", "2", "4"]
    assert axes[0].get_ylim() == axes[1].get_ylim()


def test_width_curves_differ_in_colour_marker_and_stroke() -> None:
    (ax,) = panels()
    figures.width_curves({f"d = {d}": [dot("raw", d, 0.6), dot("raw", 2 * d, 0.65)] for d in (1, 2, 3, 4)}, ax)
    lines = [container[0] for container in ax.containers]
    for looks in ({line.get_color() for line in lines}, {line.get_linestyle() for line in lines}):
        assert len(looks) == 4


def test_a_law_is_dotted_where_it_extrapolates() -> None:
    path = figures.Path([1e6, 2e6, 4e6], [0.6, 0.65, 0.7], [0.5, 0.6, 0.6], [0.7, 0.7, 0.8], [True, True, False])
    axes = panels(1, 2)
    figures.law({"depth": path}, {"depth": LINE}, {"depth": 0.69}, axes)
    solid = next(line for line in axes[0].lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 3)
    assert math.isnan(solid.get_ydata()[2])
    cross = next(line for line in axes[0].lines if line.get_marker() == "x")
    assert (cross.get_xdata()[0], cross.get_ydata()[0]) == (4e6, pytest.approx(69))
    assert not axes[1].axison


def test_an_interval_without_end_is_not_drawn() -> None:
    assert all(math.isnan(end) for end in whiskers(Estimate(0.5, -math.inf, math.inf, 1)))
    (ax,) = panels()
    accuracy_limits(ax, [Estimate(0.5, -math.inf, math.inf, 1), Estimate(0.6, -math.inf, math.inf, 1)])
    low, high = ax.get_ylim()
    assert 40 < low < 50
    assert 60 < high < 70


def test_short_and_long_axes_have_labels() -> None:
    for values in ((1.2e6, 5e6), (1e5, 1e9), (3e6, 3e6)):
        (ax,) = panels()
        log_x(ax, values)
        low, high = ax.get_xlim()
        shown = [tick for tick in ax.get_xticks() if low <= tick <= high]
        assert shown
        assert low < values[0] <= values[1] < high


def test_dollar_signs_are_no_formula() -> None:
    assert plain("a$b$") == r"a\$b\$"


def test_one_legend_names_what_all_panels_show() -> None:
    from matplotlib.figure import Figure as Canvas

    from reports.page.scales import legend_beside

    first, last = Canvas().subplots(1, 2)
    first.plot([1, 2], label="depth")
    first.plot([2, 3], label="width")
    last.plot([1, 2], label="width")
    legend_beside(last, (first, last))
    assert [text.get_text() for text in last.get_legend().get_texts()] == ["depth", "width"]

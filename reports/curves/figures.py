"""Figures of scaling curves: accuracy against costs, along single dimensions, and as a fitted law sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from reports.curves.data import Dot
from reports.page.metrics import axis_label, on_axis
from reports.page.scales import TESTED, accuracy_limits, legend_beside, log_x, plain, whiskers
from reports.page.style import BASELINE_LOOK, INK, MUTED, OTHERS, strategy_style
from scaling.curves.conclusions import curve_name
from scaling.curves.config import BASELINE

Lines = Mapping[str, Sequence[Dot]]
# Neighbouring strategies stand at the same cost: each is shifted by so much of it, so that none hides another.
APART = 0.012
LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a network costs in one sense.

    label  of the axis
    of     a Dot's value in the axis' unit; nan if it is not known
    show   a value at a mark of the axis
    """

    label: str
    of: Callable[[Dot], float]
    show: Callable[[float, object], str] = lambda value, _: f"{value:g}"

    @classmethod
    def of_metric(cls, name: str) -> Quantity:
        """A metric of the registry, or a user's own."""
        return cls(axis_label(name), lambda dot: dot.metrics.get(name, math.nan), lambda value, _: on_axis(name, value))


MACS = Quantity.of_metric("macs")
QUANTITIES = (
    Quantity.of_metric("params"),
    Quantity.of_metric("activations"),
    Quantity("measured latency of one image (ms)", lambda dot: 1000 * dot.latency),
    Quantity("seconds of one training", lambda dot: dot.seconds),
)


def against_cost(lines: Lines, quantity: Quantity, ax: Axes, *, apart: bool = False, legend: bool = True) -> None:
    """One line a strategy from the baseline upwards, with intervals; upsampled networks hollow, baseline marked."""
    names = list(lines)
    for index, name in enumerate(names):
        shift = 1 + APART * (index - (len(names) - 1) / 2) if apart else 1.0
        known = [dot for dot in lines[name] if quantity.of(dot) > 0]
        _line(known, [quantity.of(dot) * (shift if dot.curve == name else 1) for dot in known], name, ax)
    every = [dot for line in lines.values() for dot in line]
    _mark_baseline(every, [quantity.of(dot) for dot in every], ax)
    log_x(ax, [quantity.of(dot) for dot in every], quantity.show)
    accuracy_limits(ax, [dot.accuracy for dot in every])
    ax.set_xlabel(quantity.label)
    ax.set_ylabel(TESTED)
    if legend and ax.get_legend_handles_labels()[0]:
        legend_beside(ax)


def single_dimensions(panels: Mapping[str, Sequence[Dot]], axes: Sequence[Axes]) -> None:
    """EN's Figure 3: accuracy against the multiplier of one dimension alone; `panels` by width, depth, resolution."""
    every = [dot for line in panels.values() for dot in line]
    for ax, (name, line) in zip(axes, panels.items(), strict=False):
        ordered = sorted(line, key=lambda dot: float(getattr(dot, name)))
        x = [float(getattr(dot, name)) for dot in ordered]
        _line(ordered, x, name, ax)
        _mark_baseline(ordered, x, ax)
        for dot in ordered:
            ax.annotate(
                f"{getattr(dot, name):.3g}", (float(getattr(dot, name)), 100 * dot.accuracy.value), (4, 5),
                textcoords="offset points", fontsize=8,
            )  # fmt: skip
        accuracy_limits(ax, [dot.accuracy for dot in every])
        ax.margins(x=0.12)
        ax.set_title(f"{name} alone")
        ax.set_xlabel(f"{name} multiplier {name[0]}")
    axes[0].set_ylabel(TESTED)


def width_curves(lines: Lines, ax: Axes, quantity: Quantity = MACS) -> None:
    """EN's Figure 4: accuracy against cost as the width grows, a line each for other depths and resolutions."""
    for index, (name, line) in enumerate(lines.items()):
        color, marker = OTHERS[index % len(OTHERS)]
        ends = [whiskers(dot.accuracy) for dot in line]
        x, y = [quantity.of(dot) for dot in line], [100 * dot.accuracy.value for dot in line]
        style = LINES[index % len(LINES)]
        ax.errorbar(
            x, y, _ends(ends), color=color, marker=marker, ls=style, capsize=2, elinewidth=0.9, label=plain(name),
            markevery=[not dot.upsampled for dot in line],
        )  # fmt: skip
        _hollow(line, x, color, marker, ax)
    every = [dot for line in lines.values() for dot in line]
    log_x(ax, [quantity.of(dot) for dot in every], quantity.show)
    accuracy_limits(ax, [dot.accuracy for dot in every])
    ax.set_xlabel(quantity.label)
    ax.set_ylabel(TESTED)
    legend_beside(ax)


def costs(lines: Lines, axes: Sequence[Axes]) -> None:
    """Accuracy against each of QUANTITIES, a panel each; one that was not measured says so."""
    for ax, quantity in zip(axes, QUANTITIES, strict=True):
        if any(quantity.of(dot) > 0 for line in lines.values() for dot in line):
            against_cost(lines, quantity, ax, legend=False)
        else:
            ax.text(0.5, 0.5, f"{quantity.label}:\nnot measured yet", ha="center", va="center", transform=ax.transAxes)
            ax.set_axis_off()
    _legend_below(axes[0])


@dataclass(frozen=True)
class Path:
    """A fitted law along one strategy: multiply-adds, and accuracy with its band at each (0 to 1).

    inside  whether the law was fitted to networks around it; outside it extrapolates
    """

    macs: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    inside: Sequence[bool]


def law(paths: Mapping[str, Path], lines: Lines, predicted: Mapping[str, float], axes: Sequence[Axes]) -> None:
    """A panel a strategy: the fitted law with its band, dotted where it extrapolates, and the networks.

    `predicted`: accuracy at the largest multiple as a law fitted to the smaller networks alone predicts it.
    """
    every = [dot for line in lines.values() for dot in line]
    for ax, (name, path) in zip(axes, paths.items(), strict=False):
        color = strategy_style(name)["color"]
        ax.fill_between(path.macs, [100 * v for v in path.low], [100 * v for v in path.high], color=color, alpha=0.15)
        _law_line(path, color, ax)
        line = lines.get(name, ())
        _line(line, [MACS.of(dot) for dot in line], name, ax, joined=False)
        _mark_baseline(line, [MACS.of(dot) for dot in line], ax)
        if name in predicted and line:
            ax.plot(MACS.of(line[-1]), 100 * predicted[name], "x", color=INK, ms=8, mew=1.8, label="predicted")
        log_x(ax, [*path.macs, *map(MACS.of, every)], MACS.show)
        ax.set_ylim(*_law_limits(every, paths))
        ax.set_title(plain(curve_name(name)), fontsize=10)
        _label_outer(ax)
    for ax in axes[len(paths) :]:
        ax.set_axis_off()


def _label_outer(ax: Axes) -> None:
    """Labels on the left column and on all panels below which there is none."""
    place = ax.get_subplotspec()
    if place is None or place.is_first_col():
        ax.set_ylabel(TESTED)
    if place is None or place.is_last_row():
        ax.set_xlabel(MACS.label)


def _law_line(path: Path, color: str, ax: Axes) -> None:
    mean = [100 * value for value in path.mean]
    known = [value if inside else math.nan for value, inside in zip(mean, path.inside, strict=True)]
    ax.plot(path.macs, mean, ":", color=color)
    ax.plot(path.macs, known, "-", color=color)


def _law_limits(every: Sequence[Dot], paths: Mapping[str, Path]) -> tuple[float, float]:
    """All networks and means, and of the bands what lies near them."""
    values = [100 * dot.accuracy.value for dot in every] + [100 * v for path in paths.values() for v in path.mean]
    ends = [100 * v for path in paths.values() for v in (*path.low, *path.high)]
    spread = max(values) - min(values) + 2
    low, high = max(min(ends), min(values) - spread), min(max(ends), max(values) + spread)
    return min(low, *values) - 0.5, max(high, *values) + 0.5


def _line(line: Sequence[Dot], x: Sequence[float], name: str, ax: Axes, *, joined: bool = True) -> None:
    if not line:
        return
    style: dict[str, Any] = dict(strategy_style(name))
    y = [100 * dot.accuracy.value for dot in line]
    own = [whiskers(dot.accuracy) if dot.curve != BASELINE else (math.nan, math.nan) for dot in line]
    ax.errorbar(
        x, y, _ends(own), **style, ls="-" if joined else "none", capsize=2.5, elinewidth=0.9,
        label=plain(curve_name(name)), markevery=[dot.curve != BASELINE and not dot.upsampled for dot in line],
    )  # fmt: skip
    _hollow(line, x, style["color"], style["marker"], ax)


def _hollow(line: Sequence[Dot], x: Sequence[float], color: str, marker: str, ax: Axes) -> None:
    """The upsampled networks' markers, as outlines."""
    for dot, at in zip(line, x, strict=True):
        if dot.upsampled:
            ax.plot(at, 100 * dot.accuracy.value, ls="none", marker=marker, mfc="none", mec=color, mew=1.4, zorder=4)


def _mark_baseline(line: Sequence[Dot], x: Sequence[float], ax: Axes) -> None:
    """The baseline once, in its own colour, and a faint line at its height."""
    place = next((place for place, dot in enumerate(line) if dot.curve == BASELINE), None)
    if place is None or not x[place] > 0:
        return
    color, marker = BASELINE_LOOK
    y, ends = 100 * line[place].accuracy.value, [whiskers(line[place].accuracy)]
    ax.axhline(y, color=MUTED, lw=0.8, ls=(0, (2, 3)), zorder=1)
    ax.errorbar(x[place], y, _ends(ends), fmt=marker, color=color, ms=8, capsize=2.5, elinewidth=0.9, zorder=5,
                label=BASELINE)  # fmt: skip


def _ends(ends: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[low for low, _ in ends], [high for _, high in ends]]


def _legend_below(ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.figure.legend(handles, labels, loc="outside lower center", ncols=4)

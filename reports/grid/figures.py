"""Figures of the search for alpha, beta, gamma: the triangle of shares, and the networks in order of accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from reports.grid.data import NetworkData, Triple, shares, show_coefficients
from reports.page.scales import whiskers
from reports.page.style import INK, MUTED
from search_spaces.common.palette import BLUE
from studies.statistics.intervals import Estimate

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
"""Of depth alone, width alone, resolution alone."""
COLORS = "viridis"
LINES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class TriangleData:
    """What the triangle shows.

    networks  best first; left_out: points without a network
    marks     further coefficients by what they are called, such as the paper's
    """

    networks: Sequence[NetworkData]
    left_out: Sequence[Triple] = ()
    marks: dict[str, Triple] = field(default_factory=dict)


def place(coefficients: Sequence[float]) -> tuple[float, float]:
    """Position of coefficients in the triangle: their shares as weights of its corners."""
    x, y = np.array(shares(coefficients)) @ CORNERS
    return float(x), float(y)


def triangle(data: TriangleData, ax: Axes) -> None:
    """Each network at its coefficients' shares, its accuracy as colour, the best ones outlined."""
    _frame(ax)
    values = [100 * one.accuracy.value for one in data.networks]
    norm = Normalize(min(values), max(values)) if values else Normalize()
    for point in data.left_out:
        x, y = place(point)
        ax.plot(x, y, "x", color=MUTED, ms=5, mew=1.2, zorder=2)
    for one, value in zip(data.networks, values, strict=True):
        _network(one, mpl.colormaps[COLORS](norm(value)), ax)
    _stars(data, ax)
    _keys(data, ax)
    if values:
        bar = ax.figure.colorbar(ScalarMappable(norm, COLORS), ax=ax, shrink=0.75, pad=0.02)
        bar.set_label("accuracy on validation images (%)")


def ranking(networks: Sequence[NetworkData], baseline: Estimate | None, ax: Axes) -> None:
    """The networks in order, best on top, with intervals; filled: not significantly different from the best."""
    for row, one in enumerate(networks):
        low, high = whiskers(one.accuracy)
        filled = one.is_equal is not False
        ax.errorbar(
            100 * one.accuracy.value, row, xerr=[[low], [high]], fmt="o", color=BLUE, capsize=2.5,
            mfc=None if filled else "none", elinewidth=0.9,
        )  # fmt: skip
    if baseline is not None:
        ax.axvline(100 * baseline.value, color=INK, lw=1, ls=(0, (2, 3)))
        ax.annotate(
            "baseline", (100 * baseline.value, 1), (4, 2), xycoords=("data", "axes fraction"), fontsize=9,
            textcoords="offset points",
        )  # fmt: skip
    ax.set_yticks(range(len(networks)), [show_coefficients(one.coefficients) for one in networks])
    ax.set_ylim(len(networks) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("accuracy on validation images (%)")
    ax.set_ylabel("alpha/beta/gamma")


def _network(one: NetworkData, color: object, ax: Axes) -> None:
    """A network's own point, and thin lines to the other points that round to it."""
    x, y = place(one.coefficients)
    others = [other for other in map(place, one.points) if not np.allclose(other, (x, y), atol=1e-4)]
    for other in others:
        ax.plot([x, other[0]], [y, other[1]], "-", color=MUTED, lw=0.8, zorder=1)
        ax.scatter(*other, s=22, color=[color], edgecolors=MUTED, linewidths=0.5, zorder=3)
    edge, width = (INK, 2.0) if one.is_equal else (MUTED, 0.6)
    ax.scatter(x, y, s=120, color=[color], edgecolors=edge, linewidths=width, zorder=4)


def _stars(data: TriangleData, ax: Axes) -> None:
    if data.networks:
        x, y = place(data.networks[0].coefficients)
        ax.scatter(x, y, s=70, marker="*", color="#ffffff", edgecolors=INK, linewidths=0.9, zorder=6, label="best")
    for (name, coefficients), marker in zip(data.marks.items(), ("D", "s", "^"), strict=False):
        x, y = place(coefficients)
        ax.scatter(x, y, s=90, marker=marker, color="none", edgecolors="#D55E00", linewidths=1.8, zorder=5, label=name)


def _keys(data: TriangleData, ax: Axes) -> None:
    """What outline, small dots and crosses mean."""
    if any(one.is_equal for one in data.networks):
        ax.scatter(
            [], [], s=120, color="none", edgecolors=INK, linewidths=2, label="not significantly different from the best"
        )
    if any(len(one.points) > 1 for one in data.networks):
        ax.plot([], [], "o-", color=MUTED, lw=0.8, ms=4, label="other points, same network")
    if data.left_out:
        ax.plot([], [], "x", color=MUTED, ms=5, mew=1.2, label="left out")
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.figure.legend(handles, labels, loc="outside lower center", ncols=2, columnspacing=1.2)


def _frame(ax: Axes) -> None:
    """The triangle with its corners named and lines of equal share."""
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(-0.14, 1.14)
    ax.set_ylim(-0.13, 0.98)
    ax.plot(*np.vstack([CORNERS, CORNERS[:1]]).T, "-", color=MUTED, lw=1)
    for share in LINES:
        for corner in range(3):
            first, second = (share * CORNERS[corner] + (1 - share) * CORNERS[other] for other in _others(corner))
            ax.plot(*np.array([first, second]).T, "-", color=MUTED, lw=0.6, alpha=0.35, zorder=0)
    ax.text(0, -0.03, "all depth\nα = 2", ha="center", va="top")
    ax.text(1, -0.03, "all width\nβ = √2", ha="center", va="top")
    ax.text(0.5, CORNERS[2, 1] + 0.03, "all resolution, γ = √2", ha="center", va="bottom")


def _others(corner: int) -> tuple[int, int]:
    first, second = (other for other in range(3) if other != corner)
    return first, second

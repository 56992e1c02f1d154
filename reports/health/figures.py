"""How a run went: how its trials ended, how long they took, when its workers were busy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from reports.page.style import INK, MUTED
from reports.reading.effort import Effort
from reports.reading.timeline import Bar, Timeline

# Colour and hatch of each outcome: told apart without colour too.
OUTCOMES: dict[str, tuple[str, str]] = {
    "complete": ("#0072B2", ""),
    "pruned": ("#56B4E9", "//"),
    "infeasible": ("#999999", "\\\\"),
    "nan": ("#CC79A7", "xx"),
    "out-of-memory": ("#E69F00", "++"),
    "error": ("#D55E00", "--"),
    "interrupted": ("#F0E442", ".."),
    "running": ("#009E73", "||"),
    "waiting": ("#BBBBBB", "oo"),
}
OTHER = ("#666666", "**")
# More lanes than this are too thin to be seen; the share of busy workers says it then.
MAX_LANES = 24
NARROWEST_LABEL = 0.04
LONGEST_NAME = 32


def outcomes(efforts: Sequence[Effort], ax: Axes) -> None:
    """A bar for each phase: the shares of its outcomes, with their numbers."""
    names = [name for name in order(efforts) if any(one.outcomes.get(name) for one in efforts)]
    left = np.zeros(len(efforts))
    for name in names:
        shares = np.array([one.outcomes.get(name, 0) / one.trials for one in efforts])
        color, hatch = OUTCOMES.get(name, OTHER)
        look: dict[str, Any] = {"color": color, "hatch": hatch, "edgecolor": "#ffffff"}
        ax.barh(range(len(efforts)), shares, left=left, height=0.6, label=name, **look)
        for place, (one, share) in enumerate(zip(efforts, shares, strict=True)):
            if share > NARROWEST_LABEL:
                _number(ax, left[place] + share / 2, place, one.outcomes[name])
        left += shares
    _rows(ax, [f"{label(one)}\n{one.trials:,} trials" for one in efforts])
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of trials")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4)


def seconds(efforts: Sequence[Effort], ax: Axes) -> None:
    """A dot for each training, a line at the median of each phase."""
    for place, one in enumerate(efforts):
        values = np.array(one.seconds)
        # Spread by order of coming, the same in every drawing.
        ax.scatter(values, place + 0.36 * _jitter(len(values)), s=16, color="#0072B2", alpha=0.8, linewidths=0)
        if len(values):
            median = float(np.median(values))
            ax.plot([median, median], [place - 0.4, place + 0.4], color=INK, linewidth=2)
    _rows(ax, [f"{label(one)}\n{len(one.seconds):,} trainings" for one in efforts])
    everything = np.concatenate([np.array(one.seconds) for one in efforts])
    if len(everything) and everything.max() > 20 * everything.min():
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        ax.set_xlim(left=0)
    ax.set_xlabel("seconds of a training (worker time)")


def utilisation(line: Timeline, axes: Sequence[Axes]) -> None:
    """Above: what ran on each worker. Below: the share of workers that were busy. Pauses of the run are cut out."""
    lanes, share = axes
    unit, word = _unit(line.length)
    _bars(line, unit, lanes)
    edges, busy = line.busy()
    share.stairs(busy, edges / unit, fill=True, color="#0072B2", alpha=0.8)
    share.set_ylim(0, 1.02)
    lanes.tick_params(labelbottom=False)
    share.yaxis.set_major_formatter(PercentFormatter(1.0))
    share.set_ylabel("workers busy")
    share.set_xlabel(f"{word} since the first training began{', pauses cut out (dotted)' if line.pauses else ''}")
    for ax in axes:
        ax.set_xlim(0, line.length / unit)
        for at, _ in line.pauses:
            ax.axvline(at / unit, color=MUTED, linestyle=":", linewidth=1.2)


def _bars(line: Timeline, unit: float, ax: Axes) -> None:
    """A bar for each training, on its worker's lane."""
    count = min(line.lanes, MAX_LANES)
    shown = [bar for bar in line.bars if bar.lane < count]
    for name in dict.fromkeys(bar.outcome for bar in shown):
        color, hatch = OUTCOMES.get(name, OTHER)
        boxes = [_box(bar, unit) for bar in shown if bar.outcome == name]
        look: dict[str, Any] = {"facecolors": color, "hatch": hatch, "edgecolors": "#ffffff", "linewidths": 0.5}
        ax.add_collection(PolyCollection(boxes, label=name, **look), autolim=False)
    ax.set_yticks(range(count), [f"worker {place + 1}" for place in range(count)])
    ax.set_ylim(count - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4)


def _box(bar: Bar, unit: float) -> list[tuple[float, float]]:
    left, right = bar.start / unit, (bar.start + bar.seconds) / unit
    low, high = bar.lane - 0.38, bar.lane + 0.38
    return [(left, low), (right, low), (right, high), (left, high)]


def order(efforts: Sequence[Effort]) -> list[str]:
    """Outcomes in the order of their drawing, unknown ones last."""
    others = {name for one in efforts for name in one.outcomes} - set(OUTCOMES)
    return [*OUTCOMES, *sorted(others)]


def label(one: Effort) -> str:
    """A phase of a run as an axis shows it: the end of a long name, and no formula."""
    name = one.run if len(one.run) <= LONGEST_NAME else f"…{one.run[1 - LONGEST_NAME :]}"
    return f"{name}: {one.phase}".replace("$", r"\$")


def _rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


def _number(ax: Axes, x: float, y: float, value: int) -> None:
    box = {"boxstyle": "round,pad=0.15", "facecolor": "#ffffff", "edgecolor": "none"}
    ax.text(x, y, f"{value:,}", ha="center", va="center", fontsize=9, color="#000000", bbox=box)


def _jitter(count: int) -> NDArray[np.float64]:
    """Values from -1 to 1 that fill the range evenly, whatever their number (golden ratio)."""
    return np.asarray(2 * np.mod(np.arange(count) * 0.6180339887, 1.0) - 1)


def _unit(length: float) -> tuple[float, str]:
    if length < 300:
        return 1.0, "seconds"
    return (60.0, "minutes") if length < 3 * 3600 else (3600.0, "hours")

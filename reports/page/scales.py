"""Axes that several figures share: counts on a logarithmic scale, accuracies in percent, legends beside the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from search_spaces.common.units import format_count
from studies.statistics.intervals import Estimate

TESTED = "accuracy on test images (%)"
# Decades: over fewer, powers of ten alone would leave an axis without labels.
FINE, MIDDLING = 0.7, 2.5


def plain(text: str) -> str:
    """Text that matplotlib shows as it is: a dollar sign in a name begins no formula."""
    return text.replace("$", r"\$")


def short_count(value: float, _: object = None) -> str:
    """A count on an axis, such as "2.5M"; a fraction as it is."""
    return format_count(round(value), 3) if value >= 1 else f"{value:g}"


def log_x(ax: Axes, values: Iterable[float], show: Callable[[float, object], str] = short_count) -> None:
    """A logarithmic x axis around the values, with some labels however few decades it spans."""
    known = [value for value in values if math.isfinite(value) and value > 0]
    if not known:
        return
    low, high = min(known), max(known)
    decades = math.log10(high / low)
    subs = (1, 1.5, 2, 3, 4, 5, 7) if decades < FINE else (1, 2, 5) if decades < MIDDLING else (1,)
    ax.set_xscale("log")
    room = 10 ** max(0.03, 0.06 * decades)
    ax.set_xlim(low / room, high * room)
    ax.xaxis.set_major_locator(LogLocator(base=10, subs=subs, numticks=20))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(show))


def whiskers(estimate: Estimate) -> tuple[float, float]:
    """How far the interval reaches below and above its value, in percent; nan, which is not drawn, without one."""
    below, above = 100 * (estimate.value - estimate.low), 100 * (estimate.high - estimate.value)
    return (below if math.isfinite(below) else math.nan), (above if math.isfinite(above) else math.nan)


def accuracy_limits(ax: Axes, estimates: Iterable[Estimate]) -> None:
    """A y axis in percent that holds the intervals, but does not shrink the data where these are enormous."""
    known = list(estimates)
    if not known:
        return
    values = [100 * one.value for one in known]
    reach = sorted(end for one in known for end in whiskers(one) if math.isfinite(end))
    spread = max(values) - min(values)
    margin = min(reach[len(reach) // 2] if reach else 0.0, 2 * spread + 2)
    room = max(1.0, 0.08 * spread)
    ax.set_ylim(max(-1.0, min(values) - margin - room), min(101.0, max(values) + margin + room))


def legend_beside(ax: Axes, panels: Sequence[Axes] = ()) -> None:
    """The legend right of the axes, where it hides no data: of what they show, or of all that `panels` show."""
    found = {}
    for panel in panels or (ax,):
        found.update({label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)})
    handles, names = list(found.values()), list(found)
    ax.legend(handles, names, loc="center left", bbox_to_anchor=(1.02, 0.5), borderaxespad=0, handlelength=2.2)

"""The paper's own two figures drawn again: single dimensions (EN, Figure 3) and width curves (EN, Figure 4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from reports.content import Figure
from reports.figures import curves as drawings
from reports.reading.curves_data import Dot, baseline_of, raw_curves, strategies

DIMENSIONS = ("width", "depth", "resolution")
_BESIDE = re.compile(r"raw width d=(\S+) r=(\S+)")


def single_dimensions(found: Sequence[Dot], prefix: str, suffix: str) -> Figure | None:
    """Accuracy against w, d and r alone: the paper's settings where they were trained, else the strategies'."""
    raw, grown, start = raw_curves(found), strategies(found), baseline_of(found)
    own = {name: raw.get("raw width d=1 r=1" if name == "width" else f"raw {name}") for name in DIMENSIONS}
    panels = {name: own[name] or grown.get(name, []) for name in DIMENSIONS}
    panels = {name: _with(start, line) for name, line in panels.items() if len(line) > 1}
    if not panels:
        return None
    borrowed = [name for name in panels if not own[name]]
    said = (
        f" There are no settings of the paper's for {', '.join(borrowed)}: drawn from the networks at equal cost."
        if borrowed
        else ""
    )
    gains = "; ".join(f"{name} to {getattr(line[-1], name):.3g}: {_gain(line)}" for name, line in panels.items())
    return Figure(
        f"single-dimensions{suffix}",
        f"{prefix}One dimension at a time",
        f"EN, Figure 3, on this baseline. From the baseline, {gains} (points of accuracy).{said}",
        f"Accuracy against the multiplier of {', '.join(panels)} alone, a panel each.",
        partial(drawings.single_dimensions, panels),
        (1, len(panels)),
        (3.4 * len(panels), 3.4),
    )


def width_curves(found: Sequence[Dot], prefix: str, suffix: str) -> Figure | None:
    """Accuracy against FLOPs as the width grows, at other depths and resolutions; None where it was not trained."""
    lines = {_beside(name): line for name, line in raw_curves(found).items() if _BESIDE.fullmatch(name)}
    if not lines:
        return None
    tops = "; ".join(
        f"{name}: {100 * max(dot.accuracy.value for dot in line):.1f} % at best" for name, line in lines.items()
    )
    return Figure(
        f"width-curves{suffix}",
        f"{prefix}Width, at other depths and resolutions",
        f"EN, Figure 4, on this baseline: each line grows the width alone, from another depth d and resolution r. "
        f"{tops}.",
        "Accuracy against multiply-adds as the width grows, one line for each pair of depth and resolution.",
        lambda axes: drawings.width_curves(lines, axes[0]),
        size=(7.2, 4.0),
    )


def _beside(curve: str) -> str:
    match = _BESIDE.fullmatch(curve)
    assert match, "only width curves are asked for"
    return f"d = {match[1]}, r = {match[2]}"


def _with(start: Dot | None, line: Sequence[Dot]) -> list[Dot]:
    """The line with the baseline in front, where it is not there already under either name."""
    if start is None or any(dot.key == start.key for dot in line):
        return list(line)
    return [start, *line]


def _gain(line: Sequence[Dot]) -> str:
    return f"{100 * (line[-1].accuracy.value - line[0].accuracy.value):+.1f}"

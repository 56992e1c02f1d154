"""One colour and one marker for each scaling strategy and each sampler, and the look of all figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from nas.samplers.registry import SAMPLERS
from search_spaces.common.palette import BROWN, GREY, MAGENTA, OLIVE, PINK, PURPLE
from search_spaces.resizing.registry import STRATEGIES

Look = tuple[str, str]
"""Colour and marker."""
BASELINE_LOOK: Look = (GREY, "o")
CURVES: dict[str, Look] = {
    "baseline": BASELINE_LOOK,
    "compound-found": (PINK, "P"),
    **{row.name: (row.color, row.marker) for row in STRATEGIES.values()},
}
"""Curves: the scaling strategies, and two that have no row."""
# Of other names, such as 0:1:3 or a user's own: every colour with every marker, so that two hardly ever look the same.
_COLORS, _MARKERS = (PURPLE, BROWN, OLIVE, MAGENTA), ("<", ">", "h", "p", "*", "d", "8")
OTHERS = tuple((_COLORS[place % 4], _MARKERS[place % 7]) for place in range(28))
# Text and lines are drawn in this; the page replaces it by the reader's own text colour.
INK = "#1b1f24"
MUTED = "#6e7781"
RC: dict[str, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": MUTED,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 6,
    "font.family": "DejaVu Sans",
    "svg.fonttype": "path",
    "svg.hashsalt": "triaxis",
}


def strategy_style(name: str) -> dict[str, str]:
    """Colour and marker of a scaling strategy, as matplotlib's keywords."""
    return _style(CURVES, name)


def sampler_style(name: str) -> dict[str, str]:
    """Colour and marker of what proposed a candidate, a sampler or "uniform", as matplotlib's keywords."""
    row = SAMPLERS.get("random" if name == "uniform" else name)
    return _style({name: (row.color, row.marker)} if row else {}, name)


def _style(looks: Mapping[str, Look], name: str) -> dict[str, str]:
    """The look of a name; one that is not in the table has the same look every time."""
    color, marker = looks.get(name) or OTHERS[crc32(name.encode()) % len(OTHERS)]
    return {"color": color, "marker": marker}

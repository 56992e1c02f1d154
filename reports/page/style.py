"""One colour and one marker for each strategy, everywhere; and the look of all figures."""

from __future__ import annotations

from typing import Any
from zlib import crc32

# Okabe and Ito's palette: told apart by colour-blind readers, on light and on dark ground. Markers say it again.
STYLES: dict[str, tuple[str, str]] = {
    "baseline": ("#808080", "o"),
    "depth": ("#0072B2", "v"),
    "width": ("#E69F00", "s"),
    "resolution": ("#009E73", "^"),
    "compound": ("#D55E00", "D"),
    "compound-found": ("#CC79A7", "P"),
    "fast": ("#56B4E9", "X"),
    "v2": ("#66A61E", "p"),
    "uniform": ("#8C6BB1", "o"),
    "tpe": ("#A6761D", "^"),
    "predictor": ("#D55E00", "D"),
    "evolution": ("#0072B2", "v"),
    "ppo": ("#009E73", "s"),
    "nsga2": ("#CC79A7", "P"),
    "gp": ("#56B4E9", "X"),
}
# Of other names, such as 0:1:3: every colour with every marker, so that two of them hardly ever look the same.
_COLORS, _MARKERS = ("#8C6BB1", "#A6761D", "#66A61E", "#E7298A"), ("<", ">", "h", "p", "*", "d", "8")
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


def style_of(strategy: str) -> dict[str, str]:
    """Colour and marker of a strategy, as matplotlib's keywords; the same ones for the same name every time."""
    if strategy in STYLES:
        color, marker = STYLES[strategy]
    else:
        color, marker = OTHERS[crc32(strategy.encode()) % len(OTHERS)]
    return {"color": color, "marker": marker}


def name_of(strategy: str) -> str:
    """A strategy as people read it."""
    return {"compound": "compound (1.2/1.1/1.15)", "compound-found": "compound (found here)"}.get(strategy, strategy)

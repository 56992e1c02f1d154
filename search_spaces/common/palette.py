"""Colours of figures, and rows of registries whose entries figures tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.common.registry import Row

# Okabe and Ito's palette: told apart by colour-blind readers, on light and on dark ground. Markers say it again.
BLUE, ORANGE, GREEN, RED, PINK, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
PURPLE, BROWN, OLIVE, MAGENTA, GREY = "#8C6BB1", "#A6761D", "#66A61E", "#E7298A", "#808080"


@dataclass(frozen=True, kw_only=True)
class PlottedRow(Row):
    """A row with the `color` (#rrggbb) and the `marker` (matplotlib's) of the entry in all figures.

    Those of a user's own code are chosen by its name (`reports.page.style`): a report imports no code that a run names.
    """

    color: str = ""
    marker: str = ""

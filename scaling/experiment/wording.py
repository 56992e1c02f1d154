"""Phrases that the conclusions of a grid and of curves share."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.resizing.compound import PAPER
from studies.statistics.intervals import Estimate

PAPER_COEFFICIENTS = f"the paper's {PAPER}"
ONE_SEED = "one seed per network gives no confidence intervals; use --seeds 3 or more"


def intervals(estimates: Mapping[str, Estimate]) -> str:
    """Multipliers or coefficients with their intervals, such as "alpha 1.10 [1.00, 1.25], beta ..."."""
    return ", ".join(f"{name} {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for name, one in estimates.items())


def points(share: float) -> str:
    """A difference of accuracies in percentage points, without a sign."""
    return f"{100 * share:.1f} points"


def sentence(text: str) -> str:
    """Text as a sentence: a capital at its beginning, a full stop at its end."""
    return f"{text[:1].upper()}{text[1:]}."

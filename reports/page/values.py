"""Estimates and contrasts read from a run's JSON, and how columns show numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from search_spaces.common.units import format_count
from studies.statistics.comparisons import Contrast
from studies.statistics.intervals import Estimate


def estimate_of(values: object) -> Estimate | None:
    """The estimate that `Estimate.to_dict` wrote; None for anything else."""
    try:
        return Estimate.of_dict(values)
    except ValueError:
        return None


def contrast_of(values: object) -> Contrast | None:
    """The contrast that `Contrast.to_dict` wrote; None for anything else."""
    try:
        return Contrast.of_dict(values)
    except ValueError:
        return None


def half_width(estimate: Estimate) -> float | None:
    """Half the interval's width; None where there is no interval."""
    half = (estimate.high - estimate.low) / 2
    return half if math.isfinite(half) else None


def blank(show: Callable[[Any], str]) -> Callable[[Any], str]:
    """`show`, but empty for None and nan."""

    def shown(value: Any) -> str:
        return "" if value is None or value != value else show(value)  # noqa: PLR0124 (nan differs from itself)

    return shown


def _digits(pattern: str, factor: float = 1.0) -> Callable[[Any], str]:
    return blank(lambda value: format(factor * value, pattern))


count = blank(lambda value: format_count(round(value), 4))
"""A count of things, such as "2.515M"."""
percentage = _digits(".1f", 100)
"""A share in percent."""
points = _digits("+z.1f", 100)
"""A difference of shares in percentage points, with its sign."""
ratio = _digits(".3g")
"""A multiplier."""
milliseconds = _digits(".2f", 1000)
whole = _digits(".0f")

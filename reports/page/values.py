"""Values that runs keep as JSON, back as what they were: estimates and contrasts; and how columns show numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.common.units import format_count
from studies.statistics.comparisons import Contrast
from studies.statistics.intervals import CONFIDENCE, Estimate


def estimate_of(values: object) -> Estimate | None:
    """The estimate that `Estimate.to_dict` wrote, a missing end being infinite; None for anything else."""
    if not isinstance(values, Mapping):
        return None
    value, low, high = (_number(values.get(name)) for name in ("value", "low", "high"))
    if value is None:
        return None
    n = values.get("n")
    ends = (-math.inf if low is None else low, math.inf if high is None else high)
    return Estimate(value, *ends, n if isinstance(n, int) else 0)


def contrast_of(values: object) -> Contrast | None:
    """The contrast that a run's summary holds; None for anything else."""
    difference = estimate_of(values.get("difference")) if isinstance(values, Mapping) else None
    if difference is None or not isinstance(values, Mapping):
        return None
    comparisons = int(_number(values.get("comparisons")) or 1)
    margin, equivalence = _number(values.get("margin")), _number(values.get("p_equivalence"))
    return Contrast(
        difference=difference,
        margin=0.005 if margin is None else margin,
        confidence=CONFIDENCE,
        comparisons=comparisons,
        p_permutation=_number(values.get("p_permutation")),
        smallest_p=min(1.0, comparisons * 2.0 ** (1 - difference.n)),
        p_equivalence=1.0 if equivalence is None else equivalence,
    )


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


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None

"""The wording that reports share: intervals, counts of things, facts one below the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studies.statistics import Estimate


def percent(estimate: Estimate) -> str:
    """An accuracy with its interval, such as "84.3 ± 0.6 %"."""
    half = (estimate.high - estimate.low) / 2
    spread = f" ± {100 * half:.1f}" if math.isfinite(half) else ""
    return f"{100 * estimate.value:.1f}{spread} %"


def estimate_dict(estimate: Estimate) -> dict[str, float | int | None]:
    """An estimate as JSON values: value, low, high, n; an infinite end is null."""
    return {
        "value": estimate.value,
        "low": estimate.low if math.isfinite(estimate.low) else None,
        "high": estimate.high if math.isfinite(estimate.high) else None,
        "n": estimate.n,
    }


def several(number: int, noun: str) -> str:
    """A number of things, such as "1 seed" or "3 seeds"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def align(rows: Mapping[str, str]) -> str:
    """Facts by name, a line each, the texts in one column."""
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())

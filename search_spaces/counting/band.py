"""Bands of metrics, and counts with bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, Self, get_args

Of = Literal["encodings", "networks"]
Band = tuple[int, int]
Within = Mapping[str, tuple[float | None, float | None]]
"""For some metrics by name the lowest and the highest value, both inclusive; None leaves an end open."""
MAX_COST = 1 << 60  # more than any network costs


class Count(int):
    """A number of encodings or networks. It is exact if `lower == upper`; else the value is their middle.

    estimated  whether the bounds are an interval of 99 % confidence; otherwise they hold for certain
    """

    lower: int
    upper: int
    of: Of
    estimated: bool

    def __new__(cls, lower: int, upper: int, of: Of, estimated: bool = False) -> Self:
        assert 0 <= lower <= upper
        count = super().__new__(cls, (lower + upper) // 2)
        count.lower, count.upper, count.of, count.estimated = lower, upper, of, estimated
        return count

    def __getnewargs__(self) -> tuple[int, int, Of, bool]:  # type: ignore[override]
        return self.lower, self.upper, self.of, self.estimated

    def __repr__(self) -> str:
        bounds = "exact" if self.exact else f"lower={self.lower}, upper={self.upper}"
        bounds += ", estimated" if self.estimated else ""
        return f"Count({int(self)}, {bounds}, of={self.of!r})"

    def __str__(self) -> str:
        return int.__repr__(self)

    @property
    def exact(self) -> bool:
        """Whether both bounds agree."""
        return self.lower == self.upper


def check_of(of: str) -> None:
    """Raise ValueError unless `of` is "encodings" or "networks"."""
    if of not in get_args(Of):
        raise ValueError(f"of must be encodings or networks, got '{of}'")


def whole_bounds(macs: tuple[float, float] | None, within: Within | None) -> dict[str, Band]:
    """The bands of all metrics as whole numbers, by name in alphabetical order; `macs` is that of multiply-adds.

    Raises ValueError if the lowest value is above the highest, and for multiply-adds given twice.
    """
    bands: dict[str, tuple[float | None, float | None]] = {
        name: (low, high) for name, (low, high) in (within or {}).items()
    }
    if macs is not None:
        if "macs" in bands:
            raise ValueError(f"multiply-adds are given twice: macs={macs} and within={dict(within or {})}")
        bands["macs"] = macs
    return {name: whole_band(bands[name], name) for name in sorted(bands)}


def whole_band(band: tuple[float | None, float | None], name: str = "macs") -> Band:
    """The whole numbers of a band (lowest, highest), both inclusive; None or infinity leaves an end open.

    Raises ValueError if the lowest is above the highest.
    """
    low, high = (0 if band[0] is None else band[0]), (math.inf if band[1] is None else band[1])
    if not low <= high:
        raise ValueError(f"a band of {name} must be (lowest, highest), got ({band[0]}, {band[1]})")
    return math.ceil(max(low, 0)), math.floor(min(high, MAX_COST))

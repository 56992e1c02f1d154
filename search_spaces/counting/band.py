"""Cost bands, and counts with rigorous bounds."""

from __future__ import annotations

import math
from typing import Literal, Self, get_args

Of = Literal["encodings", "networks"]
Band = tuple[int, int]
MAX_COST = 1 << 60  # more than any network costs


class Count(int):
    """A number of encodings or networks. It is exact if `lower == upper`; else the value is their middle."""

    lower: int
    upper: int
    of: Of

    def __new__(cls, lower: int, upper: int, of: Of) -> Self:
        assert 0 <= lower <= upper
        count = super().__new__(cls, (lower + upper) // 2)
        count.lower, count.upper, count.of = lower, upper, of
        return count

    def __getnewargs__(self) -> tuple[int, int, Of]:  # type: ignore[override]
        return self.lower, self.upper, self.of

    def __repr__(self) -> str:
        bounds = "exact" if self.exact else f"lower={self.lower}, upper={self.upper}"
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


def whole_band(macs: tuple[float, float]) -> Band:
    """The whole numbers of a band (lowest, highest), both inclusive; infinity is allowed at either end.

    Raises ValueError if the lowest is above the highest.
    """
    low, high = macs
    if not low <= high:
        raise ValueError(f"a band of multiply-adds must be (lowest, highest), got ({low}, {high})")
    return math.ceil(max(low, 0)), math.floor(min(high, MAX_COST))

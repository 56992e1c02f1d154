"""Which dimensions a strategy grows: the shares of depth, width and resolution in the growth of cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaling.compound import PAPER, Coefficients, Multipliers
from search_spaces.naming import nearest


@dataclass(frozen=True, slots=True)
class Strategy:
    """Exponents that sum to 1: at a cost multiple s, d = s^depth, w = s^(width/2), r = s^(resolution/2).

    The notation of "Fast and Accurate Model Scaling" (arXiv 2103.06877, Section 3.3).
    """

    name: str
    depth: float
    width: float
    resolution: float

    def __post_init__(self) -> None:
        shares = (self.depth, self.width, self.resolution)
        if not all(math.isfinite(share) and share >= 0 for share in shares) or not sum(shares) > 0:
            raise ValueError(f"a strategy's exponents must be 0 or more and not all 0, got {self.name}")

    def multipliers(self, multiple: float) -> Multipliers:
        """The multipliers whose d * w^2 * r^2 is `multiple`. Raises ValueError unless it is positive."""
        if not (math.isfinite(multiple) and multiple > 0):
            raise ValueError(f"a cost multiple must be greater than 0, got {multiple:g}")
        whole = self.depth + self.width + self.resolution
        depth, width, resolution = (share / whole for share in (self.depth, self.width, self.resolution))
        return Multipliers(multiple**depth, multiple ** (width / 2), multiple ** (resolution / 2))

    @classmethod
    def of(cls, coefficients: Coefficients, name: str = "compound") -> Strategy:
        """The strategy that grows as the coefficients do. Raises ValueError where they are all 1."""
        a, b, c = (math.log(value) for value in (coefficients.alpha, coefficients.beta, coefficients.gamma))
        if a + b + c == 0:
            raise ValueError("coefficients 1/1/1 grow nothing: one of them must exceed 1")
        whole = a + 2 * b + 2 * c
        return cls(name, a / whole, 2 * b / whole, 2 * c / whole)

    def coefficients(self) -> Coefficients:
        """The coefficients of this strategy with alpha * beta^2 * gamma^2 = 2 exactly."""
        grown = self.multipliers(2)
        return Coefficients(grown.depth, grown.width, grown.resolution)


NAMED = {
    "depth": Strategy("depth", 1, 0, 0),
    "width": Strategy("width", 0, 1, 0),
    "resolution": Strategy("resolution", 0, 0, 1),
    # EN, Section 3.3.
    "compound": Strategy.of(PAPER),
    # dWr of arXiv 2103.06877, Section 4: alpha = 0.8.
    "fast": Strategy("fast", 0.1, 0.8, 0.1),
}
SINGLE = ("depth", "width", "resolution")


def get_strategy(text: str) -> Strategy:
    """A strategy by name, or by exponents d:w:r such as 1:1:1 (shares of the growth in cost; any scale).

    Raises ValueError, with the near name, for anything else.
    """
    if text in NAMED:
        return NAMED[text]
    parts = text.split(":")
    try:
        shares = [float(part) for part in parts]
    except ValueError:
        shares = []
    if len(shares) != 3:
        raise ValueError(f"unknown strategy '{text}'{nearest(text, NAMED)}; or give exponents d:w:r, such as 1:1:1")
    whole = sum(shares)
    return Strategy(text, *(share / whole if whole else share for share in shares))

"""Which dimensions a strategy grows: the shares of depth, width and resolution in the growth of cost."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from search_spaces.resizing.compound import PAPER, Coefficients, Multipliers
from search_spaces.resizing.depths import EVEN, LATE, check_weights

V2 = "v2"
# V2, Section 3.3: larger images would cost too much memory and time.
CAP = 480


SINGLE = ("depth", "width", "resolution")


@dataclass(frozen=True, slots=True)
class Strategy:
    """Exponents that sum to 1: at a cost multiple s, d = s^depth, w = s^(width/2), r = s^(resolution/2).

    The notation of "Fast and Accurate Model Scaling" (arXiv 2103.06877, Section 3.3). Growth may be non-uniform (V2,
    arXiv 2104.00298, Section 3.3):

    cap            largest side in pixels; 0 is none. Growth beyond the cap goes to depth and width, in proportion. A
                   baseline above the cap keeps its resolution
    depth_weights  relative rates at which the stages deepen, from the first to the last (see
                   `search_spaces.resizing.depths.asked_layers`); another number of weights than stages is
                   spread over the stages

    Raises ValueError for exponents or weights below 0, for all of them 0, and for a cap below 0.
    """

    name: str
    depth: float
    width: float
    resolution: float
    cap: int = 0
    depth_weights: tuple[float, ...] = EVEN

    def __post_init__(self) -> None:
        shares = (self.depth, self.width, self.resolution)
        if not all(math.isfinite(share) and share >= 0 for share in shares) or not sum(shares) > 0:
            raise ValueError(f"a strategy's exponents must be 0 or more and not all 0, got {self.name}")
        if self.cap < 0:
            raise ValueError(f"a cap on the resolution must be at least 1 px, or 0 for none, got {self.cap}")
        check_weights(self.depth_weights)

    def multipliers(self, multiple: float, side: int = 0) -> Multipliers:
        """The multipliers whose d * w^2 * r^2 is `multiple`. Raises ValueError unless it is positive.

        `side` is the baseline's resolution in pixels, which the cap needs; without it nothing is capped. If only
        resolution grows, growth beyond the cap is lost.
        """
        if not (math.isfinite(multiple) and multiple > 0):
            raise ValueError(f"a cost multiple must be greater than 0, got {multiple:g}")
        whole = self.depth + self.width + self.resolution
        depth, width, resolution = (share / whole for share in (self.depth, self.width, self.resolution))
        most = self.most(side) / side if side else math.inf
        if multiple ** (resolution / 2) <= most:
            return Multipliers(multiple**depth, multiple ** (width / 2), multiple ** (resolution / 2))
        rest, shared = multiple / most**2, depth + width
        if not shared:
            return Multipliers(resolution=most)
        return Multipliers(rest ** (depth / shared), rest ** (width / shared / 2), most)

    def most(self, side: int) -> float:
        """The largest side in pixels that a baseline of `side` pixels may be scaled to."""
        return max(self.cap, side) if self.cap else math.inf

    @classmethod
    def of(cls, coefficients: Coefficients, name: str = "compound") -> Strategy:
        """The strategy that grows as the coefficients do. Raises ValueError if they are all 1."""
        a, b, c = (math.log(value) for value in (coefficients.alpha, coefficients.beta, coefficients.gamma))
        if a + b + c == 0:
            raise ValueError("coefficients 1/1/1 grow nothing: one of them must exceed 1")
        whole = a + 2 * b + 2 * c
        return cls(name, a / whole, 2 * b / whole, 2 * c / whole)

    def coefficients(self) -> Coefficients:
        """The coefficients of this strategy with alpha * beta^2 * gamma^2 = 2 exactly."""
        grown = self.multipliers(2)
        return Coefficients(grown.depth, grown.width, grown.resolution)


def non_uniform(
    coefficients: Coefficients, name: str = V2, cap: int = CAP, depth_weights: tuple[float, ...] = LATE
) -> Strategy:
    """Compound scaling as in EfficientNetV2: no image larger than `cap` pixels, most layers added to late stages."""
    return dataclasses.replace(Strategy.of(coefficients, name), cap=cap, depth_weights=depth_weights)


DEPTH = Strategy("depth", 1, 0, 0)
WIDTH = Strategy("width", 0, 1, 0)
RESOLUTION = Strategy("resolution", 0, 0, 1)
# EN, Section 3.3.
COMPOUND = Strategy.of(PAPER)
# dWr of arXiv 2103.06877, Section 4: alpha = 0.8.
FAST = Strategy("fast", 0.1, 0.8, 0.1)
# V2, Section 3.3: compound, but no larger images than 480 px and more of the layers in the later stages.
NON_UNIFORM = non_uniform(PAPER)

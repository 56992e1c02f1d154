"""A network brought to a target of any metric: its width first, then its depth."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from search_spaces.metrics.compute import USUAL, compute
from search_spaces.metrics.registry import Conditions
from search_spaces.networks.arch import Arch
from search_spaces.resizing.rounding import RoundingChoice, share_out
from search_spaces.resizing.shapes import layers_of
from search_spaces.resizing.stages import scale_width

# A width is taken at once if the metric is so near to the target; otherwise finer roundings, then depths, are tried.
NEAR = 0.01
# A network further from the target than this has not reached it.
TOLERANCE = 0.03
MIN_WIDTH, MAX_WIDTH = 1 / 32, 32.0
# Widths beside the one found by bisection, as factors of it: rounded widths come in uneven steps.
NEIGHBOURS = tuple(1 + 0.002 * step for step in range(-15, 16))
WIDTH_PRECISION = 1e-3
# Depths that are tried if no width reaches the target, as factors on the number of layers.
MAX_DEPTH = 8.0
DEPTH_STEP = 1.25


@dataclass(frozen=True, slots=True)
class Match:
    """A network near a target.

    arch    the network
    width   factor on all widths before rounding
    layers  number of layers in its stages
    value   of the metric
    target  of the metric
    """

    arch: Arch
    width: float
    layers: int
    value: int
    target: int

    @property
    def ratio(self) -> float:
        """The metric over the target."""
        return self.value / self.target

    @property
    def miss(self) -> float:
        """The distance from the target, as a share of it."""
        return abs(self.ratio - 1)

    @property
    def cost(self) -> float:
        """By which matches are compared: the miss, and above the target, which may be a limit, `NEAR` more."""
        return self.miss + (NEAR if self.value > self.target else 0.0)

    @property
    def is_reached(self) -> bool:
        """Whether the target is reached within `TOLERANCE`."""
        return self.miss <= TOLERANCE


def match(arch: Arch, metric: str, target: int, conditions: Conditions = USUAL) -> Match:
    """The network scaled so that a metric, after rounding, is near a target.

    All widths are scaled by one factor and rounded as in EfficientNet (multiples of 8, of 4 or 2 where stages are
    narrow). Networks just below the target are preferred to those just above it. If no width comes within 1 %, finer
    multiples are tried. If that does not come within 3 % either, layers are taken away from all stages evenly, or
    added, and the width is found again: the smallest change of depth that reaches the target counts. If nothing does,
    the nearest network is returned (see `Match.is_reached`).

    Args:
        arch: the network, at the resolution that it is to have
        metric: name of a metric that is computed
        target: in the metric's raw unit
        conditions: of memory in training

    Raises ValueError for a target that is not positive, and as `search_spaces.metrics.compute.compute` does.

    """
    if target <= 0:
        raise ValueError(f"a target must be greater than 0, got {target}")
    best: Match | None = None
    for deeper in _depths(arch):
        found = _match_width(deeper, lambda other: compute(metric, other, conditions), target)
        if best is None or found.cost < best.cost:
            best = found
        if best.is_reached:
            break
    assert best is not None
    return best


def _depths(arch: Arch) -> Iterator[Arch]:
    """The network, then with fewer and more layers, the smallest changes first."""
    yield arch
    factor = DEPTH_STEP
    while factor <= MAX_DEPTH:
        for one in (1 / factor, factor):
            layers = share_out(layers_of(arch), one)
            if layers != layers_of(arch):
                yield _with_layers(arch, layers)
        factor *= DEPTH_STEP


def _with_layers(arch: Arch, layers: Sequence[int]) -> Arch:
    pairs = zip(arch.stages, layers, strict=True)
    return arch.replace(stages=tuple(dataclasses.replace(stage, layers=count) for stage, count in pairs))


def _match_width(arch: Arch, measure: Callable[[Arch], int], target: int) -> Match:
    """The nearest network of this depth: with the papers' rounding if that comes near, otherwise with a finer one."""
    value = cache(measure)
    exact = _bisect(lambda width: value(scale_width(arch, width, 1)), target)
    usual = RoundingChoice().for_network(scale_width(arch, exact, 1)).divisor
    best: Match | None = None
    for divisor in (one for one in (8, 4, 2, 1) if one <= usual):
        width = _bisect(lambda factor, by=divisor: value(scale_width(arch, factor, by)), target)  # type: ignore[misc]
        for factor in (width * more for more in NEIGHBOURS):
            scaled = scale_width(arch, factor, divisor)
            found = Match(scaled, factor, sum(layers_of(scaled)), value(scaled), target)
            if best is None or found.cost < best.cost:
                best = found
        assert best is not None
        if best.cost <= NEAR:
            break
    assert best is not None
    return best


def _bisect(value: Callable[[float], int], target: int) -> float:
    """The width factor at which a value that grows with it passes the target; an end of the range if it does not."""
    low, high = MIN_WIDTH, MAX_WIDTH
    while high / low > 1 + WIDTH_PRECISION:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if value(middle) < target else (low, middle)
    return math.sqrt(low * high)

"""Scaling to a target cost: find the network whose cost after rounding matches the target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_spaces.common.units import format_count
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Growth, Multipliers, realised
from search_spaces.resizing.depths import asked_layers
from search_spaces.resizing.rounding import Rounding, around, nearest
from search_spaces.resizing.shapes import Shapes, channels_of, layers_of
from search_spaces.resizing.strategy import Strategy

TOLERANCE = 0.01
# Layers that may be added or taken away to meet the target: first 1, then more if that is not enough.
LAYER_CHANGES = (1, 2, 4, 8)
# The strategy's multiple is found to this relative precision before sizes are rounded one by one.
MULTIPLE_PRECISION = 1e-3
# Range of the search, as a factor above and below the expected multiple of cost.
MAX_COST_RATIO = 64.0
# Weight of the deviations of single sizes, relative to the deviation of their mean.
UNEVEN_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Solution:
    """A scaled network at a target cost.

    arch     the network
    growth   its nominal and realised multipliers over the baseline
    macs     its multiply-adds
    target   the multiply-adds asked for
    """

    arch: Arch
    growth: Growth
    macs: int
    target: int

    @property
    def miss(self) -> float:
        """Relative deviation of the cost from the target; negative below it."""
        return self.macs / self.target - 1


def solve(
    arch: Arch,
    strategy: Strategy,
    target_macs: int,
    *,
    rounding: Rounding | None = None,
    tolerance: float = TOLERANCE,
) -> Solution:
    """The network grown by a strategy whose multiply-adds, after rounding, are `target_macs`.

    The strategy's multiple is first found by bisection with every size rounded to the nearest. Then the sizes that
    the strategy grows are rounded up or down one by one (single layers, single widths, resolution steps): among the
    networks within `tolerance` of the target, the one nearest to the strategy's multipliers; if there is none, the
    one nearest to the target (see `Solution.miss`). If a cap limits the resolution, depth and width compensate.
    Raises ValueError if the target is not positive or the strategy cannot reach it.
    """
    if target_macs <= 0:
        raise ValueError(f"a target cost must be greater than 0 multiply-adds, got {target_macs}")
    rounding = rounding or Rounding()
    ideal = _bisect(arch, strategy, target_macs, rounding)
    least = math.inf
    for spread in LAYER_CHANGES:
        options = around(arch, strategy, ideal, rounding, spread)
        macs = options.macs()
        miss = np.abs(macs / target_macs - 1)
        # A wider spread tries other roundings, so an earlier result stays if it is nearer.
        if miss.min() < least:
            least = float(miss.min())
            near = np.flatnonzero(miss <= max(tolerance, least))
            row = int(near[_distance(options.take(near), ideal, strategy).argmin()])
            found, spent = options.arch(row), int(macs[row])
        if least <= tolerance:
            break
    growth = Growth(ideal, realised(found, arch), spent / cost(arch).macs)
    return Solution(found, growth, spent, target_macs)


def _bisect(arch: Arch, strategy: Strategy, target: int, rounding: Rounding) -> Multipliers:
    """The strategy's multipliers at which the network, every size rounded to the nearest, costs the target."""

    def spent(multiple: float) -> int:
        asked = strategy.multipliers(multiple, arch.resolution)
        return int(nearest(arch, asked, rounding, strategy.depth_weights).macs()[0])

    low, high = _bracket(spent, target / cost(arch).macs, target)
    while high / low > 1 + MULTIPLE_PRECISION:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if spent(middle) < target else (low, middle)
    best = min((low, high), key=lambda multiple: abs(spent(multiple) - target))
    return strategy.multipliers(best, arch.resolution)


def _bracket(spent: Callable[[float], int], guess: float, target: int) -> tuple[float, float]:
    """Multiples around the target: the first costs less (or is the smallest tried), the second as much or more."""
    # From the baseline's cost on no size shrinks: a multiple below 1 may round to the same network, or to a wider one.
    low, high = min(guess, 1.0), guess
    while spent(high) < target:
        low, high = high, 1.5 * high
        if high > MAX_COST_RATIO * guess:
            raise ValueError(f"no network of this strategy reaches {format_count(target)} multiply-adds")
    while guess < 1 and spent(low) >= target and low > guess / MAX_COST_RATIO:
        low, high = low / 1.5, low
    return low, high


def _distance(options: Shapes, ideal: Multipliers, strategy: Strategy) -> NDArray[np.float64]:
    """How far each network's sizes are, in logarithms, from the ideal sizes: their means, and each single size."""
    base = options.baseline
    widths = np.log(options.channels / (np.array(channels_of(base)) * ideal.width))
    depths = np.log(options.layers / np.array(asked_layers(layers_of(base), ideal.depth, strategy.depth_weights)))
    whole = np.log(options.layers.sum(1) / (sum(layers_of(base)) * ideal.depth))
    sides = np.log(options.resolution / (base.resolution * ideal.resolution))
    uneven = (widths**2).mean(1) + (depths**2).mean(1)
    return np.asarray(widths.mean(1) ** 2 + whole**2 + sides**2 + UNEVEN_WEIGHT * uneven)

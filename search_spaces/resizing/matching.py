"""Scaling to a budget: the network whose cost, after rounding, is what was asked for."""

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
# Layers that may be added or taken away to meet the target: first 1, then, where that does not do, more.
LAYER_CHANGES = (1, 2, 4, 8)
# The strategy's multiple is found to this relative precision before sizes are rounded one by one.
MULTIPLE_PRECISION = 1e-3
# Largest and smallest multiple of the expected cost that is looked at.
MAX_COST_RATIO = 64.0
# Weight of single sizes that stray from the common multiplier, beside the mean's own straying.
UNEVEN_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Solution:
    """A scaled network at a target cost.

    arch     the network
    growth   its nominal and realised multipliers over the baseline
    macs     its multiply-adds
    target   what they should be
    """

    arch: Arch
    growth: Growth
    macs: int
    target: int

    @property
    def miss(self) -> float:
        """By what share of the target the cost misses it; negative below it."""
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
    networks within `tolerance` of the target, the one nearest to the strategy's multipliers; where there is none, the
    one nearest to the target (see `Solution.miss`). Where a cap holds the resolution, depth and width reach the target.
    Raises ValueError where the target is not positive or is out of the strategy's reach.
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
        # A wider spread tries other roundings, not more: what came nearer before stays.
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
    """Multiples around the target: cost below it (or the smallest that is looked at), and at it or above."""
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
    """How far each network's sizes are, in logarithms, from what is asked: their means, and each single size."""
    base = options.baseline
    widths = np.log(options.channels / (np.array(channels_of(base)) * ideal.width))
    depths = np.log(options.layers / np.array(asked_layers(layers_of(base), ideal.depth, strategy.depth_weights)))
    whole = np.log(options.layers.sum(1) / (sum(layers_of(base)) * ideal.depth))
    sides = np.log(options.resolution / (base.resolution * ideal.resolution))
    uneven = (widths**2).mean(1) + (depths**2).mean(1)
    return np.asarray(widths.mean(1) ** 2 + whole**2 + sides**2 + UNEVEN_WEIGHT * uneven)

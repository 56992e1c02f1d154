"""Ways of rounding the sizes of a scaled network: layers of each stage, widths, the resolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import RESOLUTION_STEP, Multipliers, round_resolution
from search_spaces.resizing.depths import EVEN, asked_layers
from search_spaces.resizing.shapes import Shapes, channels_of, layers_of
from search_spaces.resizing.stages import DIVISOR, MIN_RATIO, round_channels
from search_spaces.resizing.strategy import Strategy

SMALL_SIDE = 64
# Up to this spread widths are rounded one by one; above it there would be too many combinations.
MAX_SINGLE_SPREAD = 2
# Largest number of roundings tried. If there are more, only those that round the largest remainders up first are tried.
MAX_ROUNDINGS = 1 << 10
# Factors on the width multiplier, for networks whose next wider form is far away.
WIDTH_FACTORS = tuple(float(factor) for factor in np.geomspace(0.85, 1.18, 25))
Sizes = tuple[int, ...]


@dataclass(frozen=True)
class RoundingChoice:
    """Rounding of scaled sizes; with 0 the network determines divisor and step.

    Attributes:
        divisor: Channels are multiples of it. 0 means 8 as in the papers, or 4 or 2 for networks with narrow stages.
        step: The resolution is a multiple of this number of pixels. 0 means 2, or below 64 px the network's stride.
        min_ratio: Rounding keeps at least this share of the channels. 0 rounds to the nearest multiple, as
            EfficientNetV2's B1 to B3 do. Default: 0.9 as in EfficientNet.

    """

    divisor: int = 0
    step: int = 0
    min_ratio: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("divisor", self.divisor), ("step", self.step)):
            if value < 0:
                raise ValueError(f"--rounding.{name} must be at least 1, or 0 to have it decided, got {value}")
        if self.min_ratio is not None:
            _check_min_ratio(self.min_ratio)

    def over(self, default: Rounding) -> Rounding:
        """The values that are set; the default's for the others."""
        min_ratio = default.min_ratio if self.min_ratio is None else self.min_ratio
        return Rounding(self.divisor or default.divisor, self.step or default.step, min_ratio)

    def for_network(self, arch: Arch) -> Rounding:
        """The rounding for a network, with unset values chosen for it.

        On a small map a resolution between multiples of the stride costs what the next multiple costs; on few channels
        steps of 8 are too coarse to scale by.
        """
        narrowest = min(channels_of(arch))
        divisor = next((option for option in (DIVISOR, 4) if narrowest >= 2 * option), 2)
        step = arch.total_stride if arch.resolution < SMALL_SIDE else RESOLUTION_STEP
        return self.over(Rounding(divisor, step))


@dataclass(frozen=True)
class Rounding:
    """Rounding of scaled sizes.

    Attributes:
        divisor: Channels are multiples of it; 8 as in the papers, 4 or 2 for small networks.
        step: The resolution is a multiple of this number of pixels.
        min_ratio: Rounding keeps at least this share of the channels; 0.9 in EN's code, 0 in V2's B1 to B3.

    """

    divisor: int = DIVISOR
    step: int = RESOLUTION_STEP
    min_ratio: float = MIN_RATIO

    def __post_init__(self) -> None:
        for name, value in (("divisor", self.divisor), ("step", self.step)):
            if value < 1:
                raise ValueError(f"--rounding.{name} must be at least 1, got {value}")
        _check_min_ratio(self.min_ratio)


def _check_min_ratio(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"--rounding.min-ratio must be a share from 0 to 1, got {share:g}")


def nearest(arch: Arch, asked: Multipliers, rounding: Rounding, weights: Sequence[float] = EVEN) -> Shapes:
    """The network at some multipliers, every size rounded to the nearest (layers in all, by largest remainder)."""
    channels = _round_widths(channels_of(arch), asked.width, rounding)
    layers = share_out(layers_of(arch), asked.depth, weights=weights)
    side = _sides(arch, asked.resolution, rounding, 0)
    return Shapes(arch, np.array([channels]), np.array([layers]), np.array(side))


def around(arch: Arch, strategy: Strategy, ideal: Multipliers, rounding: Rounding, spread: int) -> Shapes:
    """Roundings of the sizes that the strategy grows, near the ideal ones; the others do not change.

    `spread` layers, and twice as many resolution steps, on either side may compensate for the rounding of the other
    sizes.
    """
    depths = _depths(layers_of(arch), ideal.depth, spread, strategy) if strategy.depth else [layers_of(arch)]
    one_by_one = spread <= MAX_SINGLE_SPREAD
    widths = _widths(channels_of(arch), ideal.width, rounding, one_by_one) if strategy.width else []
    widths = widths or [channels_of(arch)]
    sides = _sides(arch, ideal.resolution, rounding, 2 * spread if strategy.resolution else 0)
    sides = [side for side in sides if side <= strategy.most(arch.resolution)] or sides[:1]
    picks = np.indices((len(sides), len(depths), len(widths))).reshape(3, -1)
    return Shapes(arch, np.array(widths)[picks[2]], np.array(depths)[picks[1]], np.array(sides)[picks[0]])


def share_out(layers: Sequence[int], factor: float, extra: int = 0, weights: Sequence[float] = EVEN) -> Sizes:
    """round(sum * factor) + extra layers, distributed to the stages by largest remainder; each keeps at least one.

    The exact layers of each stage follow from the weights (see `asked_layers`).
    """
    asked = asked_layers(layers, factor, weights)
    counts = [max(1, math.floor(count)) for count in asked]
    least = sum(layers) if factor >= 1 else len(layers)
    missing = max(round(sum(asked)) + extra, least) - sum(counts)
    order = sorted(range(len(asked)), key=lambda stage: counts[stage] - asked[stage])
    for turn in range(missing):
        counts[order[turn % len(order)]] += 1
    return tuple(counts)


def _depths(layers: Sequence[int], factor: float, spread: int, strategy: Strategy) -> list[Sizes]:
    """Layers of each stage. If only depth grows, every way of rounding each stage up or down."""
    weights = strategy.depth_weights
    if not strategy.width and not strategy.resolution:
        asked = asked_layers(layers, factor, weights)
        return _roundings([_neighbours(count, 1) for count in asked], asked)
    return list(dict.fromkeys(share_out(layers, factor, extra, weights) for extra in range(-spread, spread + 1)))


def _widths(channels: Sequence[int], factor: float, rounding: Rounding, one_by_one: bool) -> list[Sizes]:
    """Slightly other factors; and every way of rounding each width up or down, as far down as the rounding allows."""
    least = 1.0 if factor >= 1 else 0.0
    swept = [_round_widths(channels, max(least, factor * more), rounding) for more in WIDTH_FACTORS]
    rounded = _one_by_one(channels, factor, rounding) if one_by_one else []
    return list(dict.fromkeys([*rounded, *swept]))


def _one_by_one(channels: Sequence[int], factor: float, rounding: Rounding) -> list[Sizes]:
    options = []
    for width, nearest_width in zip(channels, _round_widths(channels, factor, rounding), strict=True):
        asked = width * factor
        least = max(rounding.min_ratio * asked, width if factor >= 1 else 1)
        near = [option for option in _neighbours(asked, rounding.divisor) if option >= least]
        options.append(sorted({*near, nearest_width}))
    return _roundings(options, [width * factor for width in channels])


def _round_widths(channels: Sequence[int], factor: float, rounding: Rounding) -> Sizes:
    """As `search_spaces.scale_width`, factor 1 leaves the widths as they are; a larger one makes none narrower."""
    if factor == 1:
        return tuple(channels)
    rounded = (round_channels(width * factor, rounding.divisor, rounding.min_ratio) for width in channels)
    return tuple(max(now, width * (factor > 1)) for now, width in zip(rounded, channels, strict=True))


def _neighbours(value: float, step: int) -> list[int]:
    """The multiples of `step` on either side, at least one step."""
    low, high = (end(round(value / step, 9)) * step for end in (math.floor, math.ceil))
    return sorted({max(step, low), max(step, high)})


def _roundings(options: Sequence[Sequence[int]], asked: Sequence[float]) -> list[Sizes]:
    """All combinations if they are not too many; else sizes rounded up one after the other, nearest first."""
    if math.prod(map(len, options)) <= MAX_ROUNDINGS:
        return list(product(*options))
    counts = [choice[0] for choice in options]
    found = [tuple(counts)]
    for place in sorted(range(len(asked)), key=lambda index: options[index][-1] / asked[index]):
        counts[place] = options[place][-1]
        found.append(tuple(counts))
    return found


def _sides(arch: Arch, factor: float, rounding: Rounding, more: int) -> list[int]:
    """Resolutions near the one asked for, none below the network's stride."""
    middle = round_resolution(arch.resolution, factor, rounding.step)
    sides = [middle + extra * rounding.step for extra in range(-more, more + 1)]
    least = max(arch.total_stride, arch.resolution if factor >= 1 else 1)
    return [side for side in sides if side >= least] or [least]

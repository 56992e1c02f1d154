"""What curves are about to train: each strategy's network at each cost, and the paper's own settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scaling.budget import solve
from scaling.coefficients_file import read
from scaling.compound import Growth, Multipliers, scale
from scaling.curves_config import BESIDE, DEPTHS, RESOLUTIONS, WIDTHS, CurvesConfig
from scaling.ground import Ground
from scaling.roundings import Rounding
from scaling.strategy import Strategy, get_strategy
from search_spaces.arch import Arch
from search_spaces.costs import cost
from studies.execution import Resources, settle_here

FOUND = "compound-found"
BASELINE = "baseline"
# Distances between the paper's coefficients and those found that nobody means.
SAME = 1e-9


@dataclass(frozen=True)
class Place:
    """A network's place in the curves; several places may have one network.

    curve      the strategy's name, or the paper's curve: "raw depth", "raw width d=1 r=1.3", ...
    multiple   of the baseline's cost that it was made for; for raw settings what it came to
    target     multiply-adds that it was closed to; None for raw settings
    upsampled  whether its input is larger than the images themselves
    """

    curve: str
    multiple: float
    arch: Arch
    macs: int
    growth: Growth
    target: int | None
    upsampled: bool

    @property
    def is_raw(self) -> bool:
        """Whether this is one of the paper's own settings, not closed to a cost."""
        return self.target is None and self.curve != BASELINE


@dataclass(frozen=True)
class Plan:
    """Settings, ground, places in order, how sizes are rounded, what it runs on; `left_out` raw settings by curve."""

    config: CurvesConfig
    ground: Ground
    places: tuple[Place, ...]
    left_out: int
    rounding: Rounding
    resources: Resources | None

    @property
    def largest(self) -> float:
        """The largest multiple at which strategies are compared."""
        return max(self.config.multiples)

    def is_main(self, place: Place) -> bool:
        """Whether the place is at the largest multiple, where strategies are compared with each other."""
        return place.target is not None and place.multiple == self.largest


def prepare(config: CurvesConfig) -> Plan:
    """Everything that can be found wrong beforehand: baseline, data set, coefficients, strategies, resources."""
    strategies = {name: get_strategy(name) for name in config.strategies}
    if config.coefficients:
        strategies[FOUND] = Strategy.of(read(config.coefficients).coefficients, FOUND)
    room = max((one.multipliers(max(config.multiples)).resolution for one in strategies.values()), default=1.0)
    ground = Ground.of(config, max(1.0, room))
    rounding = config.rounding.for_network(ground.trained)
    places = [_place(ground, BASELINE, 1.0, ground.trained, Multipliers(), None)]
    places += _closed(config, ground, strategies, rounding)
    raw = list(_raw(ground, rounding)) if config.raw else []
    kept = [place for place in raw if place.multiple <= config.most]
    return Plan(config, ground, (*places, *kept), len(raw) - len(kept), rounding, settle_here(config.execution))


def _closed(
    config: CurvesConfig, ground: Ground, strategies: dict[str, Strategy], rounding: Rounding
) -> Iterator[Place]:
    base = cost(ground.trained).macs
    for multiple in sorted(config.multiples):
        if math.isclose(multiple, 1, rel_tol=SAME):
            continue
        for name, strategy in strategies.items():
            solution = solve(ground.trained, strategy, round(multiple * base), rounding=rounding)
            asked = strategy.multipliers(multiple, ground.trained.resolution)
            growth = Growth(asked, solution.growth.realised, solution.growth.macs_ratio)
            yield Place(
                name, multiple, solution.arch, solution.macs, growth, solution.target, _upsampled(ground, solution.arch)
            )


def _raw(ground: Ground, rounding: Rounding) -> Iterator[Place]:
    """The paper's single multipliers (EN, Figure 3) and its width curves (Figure 4), rounded as it rounds."""
    for name, values in (("depth", DEPTHS), ("resolution", RESOLUTIONS)):
        for value in values:
            yield _scaled(ground, f"raw {name}", Multipliers(**{name: value}), rounding)
    for depth, resolution in BESIDE:
        for width in WIDTHS:
            name = f"raw width d={depth:g} r={resolution:g}"
            yield _scaled(ground, name, Multipliers(depth, width, resolution), rounding)


def _scaled(ground: Ground, curve: str, asked: Multipliers, rounding: Rounding) -> Place:
    arch = scale(
        ground.trained,
        depth=asked.depth,
        width=asked.width,
        resolution=asked.resolution,
        divisor=rounding.divisor,
        step=rounding.step,
        least=rounding.least,
    )
    return _place(ground, curve, cost(arch).macs / cost(ground.trained).macs, arch, asked, None)


def _place(ground: Ground, curve: str, multiple: float, arch: Arch, asked: Multipliers, target: int | None) -> Place:
    growth = Growth.of(arch, ground.trained, asked)
    return Place(curve, multiple, arch, cost(arch).macs, growth, target, _upsampled(ground, arch))


def _upsampled(ground: Ground, arch: Arch) -> bool:
    return arch.resolution > ground.pixels

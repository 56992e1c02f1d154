"""What curves will train: each strategy's network at each cost, and the paper's own settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scaling.coefficients_file import read
from scaling.curves.config import BASELINE, DEPTHS, FOUND, RESOLUTIONS, WIDTH_CURVES, WIDTHS, CurvesConfig
from scaling.experiment.baseline import Baseline
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Growth, Multipliers, scale
from search_spaces.resizing.matching import solve
from search_spaces.resizing.registry import get_strategy
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import Strategy
from studies.workers.resources import Resources, settle_here

# Multiples nearer to 1 than this are the baseline itself.
SAME_MULTIPLE = 1e-9


@dataclass(frozen=True)
class CurvePoint:
    """A point of a curve. Several points may have the same network.

    curve      the strategy's name, or the paper's curve: "raw depth", "raw width d=1 r=1.3", ...
    multiple   of the baseline's cost that it was made for; for raw settings the realised one
    target     multiply-adds that it was matched to; None for raw settings
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
        """Whether this is one of the paper's own settings, not matched to a cost."""
        return self.target is None and self.curve != BASELINE


@dataclass(frozen=True)
class CurvesPlan:
    """Settings, baseline, points in order, number of raw settings left out, rounding, and what it runs on."""

    config: CurvesConfig
    baseline: Baseline
    points: tuple[CurvePoint, ...]
    left_out: int
    rounding: Rounding
    resources: Resources | None

    @property
    def largest(self) -> float:
        """The largest multiple at which strategies are compared."""
        return max(self.config.multiples)

    def is_main(self, point: CurvePoint) -> bool:
        """Whether the point is at the largest multiple, where strategies are compared with each other."""
        return point.target is not None and point.multiple == self.largest


def prepare(config: CurvesConfig) -> CurvesPlan:
    """Find everything that can be wrong beforehand: baseline, data set, coefficients, strategies, resources."""
    strategies = {name: get_strategy(name) for name in config.strategies}
    if config.coefficients:
        strategies[FOUND] = Strategy.of(read(config.coefficients).coefficients, FOUND)
    largest = max(config.multiples)
    resolutions = [strategy.multipliers(largest).resolution for strategy in strategies.values()]
    baseline = Baseline.of(config, max([1.0, *resolutions]))
    rounding = config.rounding.for_network(baseline.trained)
    points = [_point(baseline, BASELINE, 1.0, baseline.trained, Multipliers(), None)]
    points += _matched(config, baseline, strategies, rounding)
    raw = list(_raw(baseline, rounding)) if config.raw else []
    kept = [point for point in raw if point.multiple <= config.most]
    return CurvesPlan(config, baseline, (*points, *kept), len(raw) - len(kept), rounding, settle_here(config.workers))


def _matched(
    config: CurvesConfig, baseline: Baseline, strategies: dict[str, Strategy], rounding: Rounding
) -> Iterator[CurvePoint]:
    base = cost(baseline.trained).macs
    for multiple in sorted(config.multiples):
        if math.isclose(multiple, 1, rel_tol=SAME_MULTIPLE):
            continue
        for name, strategy in strategies.items():
            solution = solve(baseline.trained, strategy, round(multiple * base), rounding=rounding)
            asked = strategy.multipliers(multiple, baseline.trained.resolution)
            growth = Growth(asked, solution.growth.realised, solution.growth.macs_ratio)
            upsampled = _upsampled(baseline, solution.arch)
            yield CurvePoint(name, multiple, solution.arch, solution.macs, growth, solution.target, upsampled)


def _raw(baseline: Baseline, rounding: Rounding) -> Iterator[CurvePoint]:
    """The paper's single multipliers (EN, Figure 3) and its width curves (Figure 4), rounded as it rounds."""
    for name, values in (("depth", DEPTHS), ("resolution", RESOLUTIONS)):
        for value in values:
            yield _scaled(baseline, f"raw {name}", Multipliers(**{name: value}), rounding)
    for depth, resolution in WIDTH_CURVES:
        for width in WIDTHS:
            name = f"raw width d={depth:g} r={resolution:g}"
            yield _scaled(baseline, name, Multipliers(depth, width, resolution), rounding)


def _scaled(baseline: Baseline, curve: str, asked: Multipliers, rounding: Rounding) -> CurvePoint:
    arch = scale(
        baseline.trained,
        depth=asked.depth,
        width=asked.width,
        resolution=asked.resolution,
        divisor=rounding.divisor,
        step=rounding.step,
        min_ratio=rounding.min_ratio,
    )
    return _point(baseline, curve, cost(arch).macs / cost(baseline.trained).macs, arch, asked, None)


def _point(
    baseline: Baseline, curve: str, multiple: float, arch: Arch, asked: Multipliers, target: int | None
) -> CurvePoint:
    growth = Growth.of(arch, baseline.trained, asked)
    return CurvePoint(curve, multiple, arch, cost(arch).macs, growth, target, _upsampled(baseline, arch))


def _upsampled(baseline: Baseline, arch: Arch) -> bool:
    return arch.resolution > baseline.pixels

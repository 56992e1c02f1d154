"""The points of a grid: all alpha, beta, gamma on a lattice whose alpha * beta^2 * gamma^2 is near 2."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import TARGET, Coefficients, round_resolution
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.shapes import Shapes, channels_of, layers_of
from search_spaces.resizing.stages import scale_depth, scale_width

Floats = NDArray[np.float64]
# Decimals to which lattice values are exact: 1 + 3 * 0.1 is to be 1.3.
DECIMALS = 9
# Points of the whole lattice that are looked at, at most: some hundred megabytes.
MAX_POINTS = 4_000_000


@dataclass(frozen=True)
class Lattice:
    """Where the points lie.

    step               between neighbouring values of a coefficient
    tolerance          by how much alpha * beta^2 * gamma^2 may miss 2
    alpha, beta, gamma lowest and highest value of each
    """

    step: float = 0.1
    tolerance: float = 0.1
    alpha: tuple[float, float] = (1.0, 2.2)
    beta: tuple[float, float] = (1.0, 1.5)
    gamma: tuple[float, float] = (1.0, 1.5)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0):
            raise ValueError(f"--step must be greater than 0, got {self.step:g}")
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise ValueError(f"--tolerance must be 0 or more, got {self.tolerance:g}")
        for name in ("alpha", "beta", "gamma"):
            low, high = getattr(self, name)
            if not (1 <= low <= high < math.inf):
                raise ValueError(f"--{name} must be two bounds, 1 <= low <= high, got {low:g} {high:g}")

    def points(self) -> Floats:
        """The points [n, 3], in order of alpha, beta, gamma. ValueError where there is none, or no end of them."""
        values = [_values(low, high, self.step) for low, high in (self.alpha, self.beta, self.gamma)]
        size = math.prod(map(len, values))
        if size > MAX_POINTS:
            raise ValueError(
                f"--step {self.step:g} makes a lattice of {size:,} points: use a larger step or narrower bounds"
            )
        lattice = np.stack(np.meshgrid(*values, indexing="ij"), axis=-1).reshape(-1, 3)
        miss = np.abs(lattice[:, 0] * lattice[:, 1] ** 2 * lattice[:, 2] ** 2 - TARGET)
        points = lattice[np.round(miss, DECIMALS) <= self.tolerance]
        if not len(points):
            nearest = f"; the nearest misses 2 by {miss.min():.3g}" if len(miss) else ""
            raise ValueError(
                f"--step {self.step:g} leaves no point with alpha * beta^2 * gamma^2 within "
                f"{self.tolerance:g} of 2{nearest}: use a smaller step or a larger tolerance"
            )
        return np.asarray(points)


def coefficients(points: Floats) -> list[Coefficients]:
    """The points as coefficients."""
    return [Coefficients(*point) for point in points.tolist()]


def scaled(baseline: Arch, points: Floats, phi: float, rounding: Rounding) -> Shapes:
    """The networks at the points, as `scale` makes them; every different multiplier is rounded once."""
    alphas, a = np.unique(points[:, 0], return_inverse=True)
    betas, b = np.unique(points[:, 1], return_inverse=True)
    gammas, c = np.unique(points[:, 2], return_inverse=True)
    layers = [layers_of(scale_depth(baseline, alpha**phi)) for alpha in alphas.tolist()]
    widened = (scale_width(baseline, beta**phi, rounding.divisor, rounding.min_ratio) for beta in betas.tolist())
    widths = list(map(channels_of, widened))
    sides = [round_resolution(baseline.resolution, gamma**phi, rounding.step) for gamma in gammas.tolist()]
    return Shapes(baseline, np.array(widths)[b], np.array(layers)[a], np.array(sides)[c])


def _values(low: float, high: float, step: float) -> Floats:
    """1, 1 + step, 1 + 2 step, ... within the bounds."""
    first, last = math.ceil(round((low - 1) / step, DECIMALS)), math.floor(round((high - 1) / step, DECIMALS))
    return np.round(1 + step * np.arange(first, last + 1), DECIMALS)

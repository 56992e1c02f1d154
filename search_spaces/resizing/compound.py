"""The compound scaling rule: multipliers of depth, width and resolution, nominal and after rounding (EN, Section 3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.depths import EVEN, deepen
from search_spaces.resizing.stages import DIVISOR, MIN_RATIO, scale_width

TARGET = 2.0
RESOLUTION_STEP = 2


@dataclass(frozen=True, slots=True)
class Multipliers:
    """Depth d, width w and resolution r of a network over those of its baseline; all positive."""

    depth: float = 1.0
    width: float = 1.0
    resolution: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("depth", self.depth), ("width", self.width), ("resolution", self.resolution)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"a {name} multiplier must be greater than 0, got {value:g}")

    @property
    def nominal_cost(self) -> float:
        """d * w^2 * r^2, the nominal growth of multiply-adds (EN, Section 3.3)."""
        return self.depth * self.width**2 * self.resolution**2

    def __str__(self) -> str:
        return f"d {self.depth:.3g}, w {self.width:.3g}, r {self.resolution:.3g}"


@dataclass(frozen=True, slots=True)
class Coefficients:
    """How much of each doubling goes to depth (alpha), width (beta) and resolution (gamma); EN, Equation 3.

    Raises ValueError if one is below 1: no dimension may shrink.
    """

    alpha: float
    beta: float
    gamma: float

    def __post_init__(self) -> None:
        for name, value in (("alpha", self.alpha), ("beta", self.beta), ("gamma", self.gamma)):
            if not (math.isfinite(value) and value >= 1):
                raise ValueError(f"{name} must be at least 1 (no dimension shrinks), got {value:g}")

    @property
    def product(self) -> float:
        """alpha * beta^2 * gamma^2: nominal growth of multiply-adds for each unit of phi."""
        return self.alpha * self.beta**2 * self.gamma**2

    @property
    def miss(self) -> float:
        """The product minus 2."""
        return self.product - TARGET

    def multipliers(self, phi: float) -> Multipliers:
        """d = alpha^phi, w = beta^phi, r = gamma^phi. Raises ValueError if phi is below 0 or too large."""
        if not (math.isfinite(phi) and phi >= 0):
            raise ValueError(f"phi must be 0 or more, got {phi:g}")
        try:
            return Multipliers(self.alpha**phi, self.beta**phi, self.gamma**phi)
        except OverflowError:
            raise ValueError(f"phi {phi:g} is too large for coefficients {self}: lower it") from None

    def __str__(self) -> str:
        return f"{self.alpha:.4g}/{self.beta:.4g}/{self.gamma:.4g}"


# EN, Section 3.3, found on EfficientNet-B0 at phi = 1.
PAPER = Coefficients(1.2, 1.1, 1.15)


def scale(
    arch: Arch,
    coefficients: Coefficients | None = None,
    phi: float | None = None,
    *,
    depth: float = 1.0,
    width: float = 1.0,
    resolution: float = 1.0,
    divisor: int = DIVISOR,
    step: int = RESOLUTION_STEP,
    min_ratio: float = MIN_RATIO,
    cap: int = 0,
    depth_weights: Sequence[float] = EVEN,
) -> Arch:
    """The network grown by coefficients at phi, or by multipliers, with the papers' rounding.

    Layers are rounded up, channels to a multiple of `divisor` but never below the share `min_ratio` of the exact width
    (EN: 0.9; V2's B1 to B3: 0), the resolution to the nearest multiple of `step` pixels. A multiplier of 1 leaves its
    dimension as it is.

    Non-uniform scaling (V2, Section 3.3): `cap` is the largest side in pixels that resolution may grow to (0: none;
    other dimensions do not compensate for the cap here, only in `solve`). `depth_weights` are the relative rates at
    which the stages deepen, from the first to the last; if their number differs from that of the stages, they are
    spread over them (see `resizing.depths`). Raises ValueError for coefficients together with multipliers, a multiplier
    that is not positive, weights below 0 or all 0, or a resolution below the network's stride.
    """
    if (coefficients is None) != (phi is None):
        raise ValueError("scale needs coefficients and phi together, or multipliers")
    given = Multipliers(depth, width, resolution)
    if coefficients is not None and phi is not None:
        if given != Multipliers():
            raise ValueError(f"scale takes coefficients and phi, or multipliers, not both; got {coefficients}, {given}")
        given = coefficients.multipliers(phi)
    grown = deepen(scale_width(arch, given.width, divisor, min_ratio), given.depth, depth_weights)
    side = round_resolution(arch.resolution, given.resolution, step)
    grown = at_resolution(grown, min(side, max(cap, arch.resolution)) if cap else side)
    return arch if grown == arch else grown.replace(name="")


def at_resolution(arch: Arch, side: int) -> Arch:
    """The arch at `side` pixels. Raises ValueError below its stride, where the last map is smaller than a pixel."""
    if side < arch.total_stride:
        raise ValueError(
            f"a resolution of {side} px is below the network's stride of {arch.total_stride}: "
            "use a larger baseline resolution or multiplier"
        )
    return arch.replace(resolution=side)


def round_resolution(side: int, factor: float, step: int = RESOLUTION_STEP) -> int:
    """`side` * `factor` pixels, to the nearest multiple of `step`; factor 1 leaves it as it is."""
    if step < 1:
        raise ValueError(f"a resolution step must be at least 1 px, got {step}")
    # Halves go up; a product such as 224 * (240 / 224) may miss a whole number by a rounding error.
    return side if factor == 1 else max(step, math.floor(round(side * factor, 6) / step + 0.5) * step)


def realised(arch: Arch, baseline: Arch) -> Multipliers:
    """The multipliers that a network has after rounding.

    Depth is the ratio of total layers in stages, resolution that of sides, width the geometric mean of the channels'
    ratios over stem, stages and, if there is one, head. Raises ValueError for networks of different numbers of stages.
    """
    if len(arch.stages) != len(baseline.stages):
        raise ValueError(f"no scaled form of the baseline: {len(arch.stages)} stages against {len(baseline.stages)}")
    if bool(arch.head) != bool(baseline.head):
        raise ValueError(f"no scaled form of the baseline: a head of {arch.head} channels against {baseline.head}")
    ratios = [ours / theirs for ours, theirs in zip(arch.widths, baseline.widths, strict=True)]
    width = math.exp(sum(map(math.log, ratios)) / len(ratios))
    layers = sum(stage.layers for stage in arch.stages) / sum(stage.layers for stage in baseline.stages)
    return Multipliers(layers, width, arch.resolution / baseline.resolution)


@dataclass(frozen=True, slots=True)
class Growth:
    """Nominal and realised multipliers of a scaled network, and its realised cost over the baseline's."""

    nominal: Multipliers
    realised: Multipliers
    macs_ratio: float

    @classmethod
    def of(cls, arch: Arch, baseline: Arch, nominal: Multipliers) -> Growth:
        """The growth of a network over its baseline."""
        return cls(nominal, realised(arch, baseline), cost(arch).macs / cost(baseline).macs)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: depth, width, resolution (realised), the same nominal_*, and both cost ratios."""
        asked, got = self.nominal, self.realised
        return {
            "nominal_depth": asked.depth,
            "nominal_width": asked.width,
            "nominal_resolution": asked.resolution,
            "nominal_cost": asked.nominal_cost,
            "depth": got.depth,
            "width": got.width,
            "resolution": got.resolution,
            "cost": self.macs_ratio,
        }

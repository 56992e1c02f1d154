"""The proxy baseline: a smaller network, trained if the baseline's scaled forms would be larger than the images."""

from __future__ import annotations

import math
from dataclasses import dataclass

from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import at_resolution
from search_spaces.resizing.shrink import shrink

# A proxy of more multiply-adds than this is made narrower, too.
LARGE_BASELINE_MACS = 20_000_000
PROXY_WIDTH = 0.25
MIN_MAP = 4
DIVISOR = 4
MIN_SIDE = 16


@dataclass(frozen=True)
class ProxyBaseline:
    """How the proxy baseline is made.

    Attributes:
        width: Factor on the baseline's channels; 0 decides: 1, but 0.25 for more than 20M FLOPs at a lower resolution.
        resolution: Side in pixels; 0 decides: the baseline's, or the one that can be scaled up to the images' side.

    """

    width: float = 0.0
    resolution: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.width) and self.width >= 0):
            raise ValueError(f"--proxy.width must be greater than 0, or 0 to have it decided, got {self.width:g}")
        if self.resolution < 0:
            raise ValueError(
                f"--proxy.resolution must be at least 1 px, or 0 to have it decided, got {self.resolution}"
            )

    def of(self, baseline: Arch, *, pixels: int, max_resolution: float, classes: int) -> Arch:
        """The network that is trained: the baseline with this number of classes, or a smaller one for small images.

        Args:
            baseline: the network that is to be scaled
            pixels: side of the images
            max_resolution: largest resolution multiplier of the experiment
            classes: of the data set

        Raises ValueError for a resolution below the network's stride.

        """
        own = baseline.replace(classes=classes, name=baseline.name if classes == baseline.classes else "")
        side = self.resolution or _side(own, pixels, max_resolution)
        if side >= own.resolution and self.width in (0, 1):
            return at_resolution(own, side)
        small = shrink(own, resolution=side, min_map=min(MIN_MAP, side), divisor=DIVISOR)
        width = self.width or (PROXY_WIDTH if cost(small).macs > LARGE_BASELINE_MACS else 1.0)
        return shrink(own, width=width, resolution=side, min_map=min(MIN_MAP, side), divisor=DIVISOR).replace(name="")


def _side(baseline: Arch, pixels: int, max_resolution: float) -> int:
    """The baseline's resolution, or the even one that scales up to the images' pixels; not below 16."""
    if baseline.resolution * max_resolution <= pixels:
        return baseline.resolution
    return min(baseline.resolution, max(MIN_SIDE, int(pixels / max_resolution) // 2 * 2))

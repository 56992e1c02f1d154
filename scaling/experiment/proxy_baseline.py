"""What is trained in place of a baseline whose scaled forms would be larger than the images: a smaller form of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import at_resolution
from search_spaces.resizing.shrink import shrink

# A network of more multiply-adds than this is made narrower where it is made smaller.
LARGE_BASELINE_MACS = 20_000_000
PROXY_WIDTH = 0.25
MIN_MAP = 4
DIVISOR = 4
MIN_SIDE = 16


@dataclass(frozen=True)
class ProxyBaseline:
    """The smaller form of the baseline that is scaled and trained.

    Attributes:
        width: Factor on the baseline's channels; 0 decides: 1, but 0.25 for more than 20M FLOPs at a lower resolution.
        resolution: Side in pixels; 0 decides: the baseline's, or what leaves room to scale up within the images.

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

    def of(self, baseline: Arch, *, pixels: int, room: float, classes: int) -> Arch:
        """The network that is trained for `baseline`: itself, at this number of classes, where images allow.

        Args:
            baseline: the network that is to be scaled
            pixels: side of the images
            room: largest resolution multiplier that is going to be asked for
            classes: of the data set

        Raises ValueError for a resolution below the network's stride.

        """
        own = baseline.replace(classes=classes, name=baseline.name if classes == baseline.classes else "")
        side = self.resolution or _side(own, pixels, room)
        if side >= own.resolution and self.width in (0, 1):
            return at_resolution(own, side)
        small = shrink(own, resolution=side, min_map=min(MIN_MAP, side), divisor=DIVISOR)
        width = self.width or (PROXY_WIDTH if cost(small).macs > LARGE_BASELINE_MACS else 1.0)
        return shrink(own, width=width, resolution=side, min_map=min(MIN_MAP, side), divisor=DIVISOR).replace(name="")


def _side(baseline: Arch, pixels: int, room: float) -> int:
    """The baseline's resolution, or the even one that scales up to the images' pixels; not below 16."""
    if baseline.resolution * room <= pixels:
        return baseline.resolution
    return min(baseline.resolution, max(MIN_SIDE, int(pixels / room) // 2 * 2))

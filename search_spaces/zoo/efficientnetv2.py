"""EfficientNetV2 S to XL and B0 to B3 (V2, arXiv 2104.00298, Table 4 and the authors' code), at evaluation size."""

from __future__ import annotations

from search_spaces.networks.arch import Arch, Stage
from search_spaces.resizing.stages import scale_depth, scale_width
from search_spaces.zoo.efficientnet import PublishedMultipliers

# The authors' code normalises with this epsilon.
NORM_EPS = 1e-3


# The base networks are scaled by the multipliers of EN, Table 2.
PUBLISHED = {
    "efficientnetv2_b0": PublishedMultipliers(1.0, 1.0, 224, 0.2, NORM_EPS),
    "efficientnetv2_b1": PublishedMultipliers(1.0, 1.1, 240, 0.2, NORM_EPS),
    "efficientnetv2_b2": PublishedMultipliers(1.1, 1.2, 260, 0.3, NORM_EPS),
    "efficientnetv2_b3": PublishedMultipliers(1.2, 1.4, 300, 0.3, NORM_EPS),
}


def _fused(expansion: int, channels: int, layers: int, stride: int = 1) -> Stage:
    return Stage("fused", 3, stride, channels, layers, expansion)


def _mbconv(expansion: int, channels: int, layers: int, stride: int = 1) -> Stage:
    return Stage("mbconv", 3, stride, channels, layers, expansion, se=0.25)


def _network(name: str, resolution: int, stem: int, stages: tuple[Stage, ...]) -> Arch:
    return Arch(stages, stem, 1280, resolution, activation="silu", norm_eps=NORM_EPS, name=name)


S = _network(
    "efficientnetv2_s",
    384,
    24,
    (
        _fused(1, 24, 2),
        _fused(4, 48, 4, 2),
        _fused(4, 64, 4, 2),
        _mbconv(4, 128, 6, 2),
        _mbconv(6, 160, 9),
        _mbconv(6, 256, 15, 2),
    ),
)
M = _network(
    "efficientnetv2_m",
    480,
    24,
    (
        _fused(1, 24, 3),
        _fused(4, 48, 5, 2),
        _fused(4, 80, 5, 2),
        _mbconv(4, 160, 7, 2),
        _mbconv(6, 176, 14),
        _mbconv(6, 304, 18, 2),
        _mbconv(6, 512, 5),
    ),
)
L = _network(
    "efficientnetv2_l",
    480,
    32,
    (
        _fused(1, 32, 4),
        _fused(4, 64, 7, 2),
        _fused(4, 96, 7, 2),
        _mbconv(4, 192, 10, 2),
        _mbconv(6, 224, 19),
        _mbconv(6, 384, 25, 2),
        _mbconv(6, 640, 7),
    ),
)
XL = _network(
    "efficientnetv2_xl",
    512,
    32,
    (
        _fused(1, 32, 4),
        _fused(4, 64, 8, 2),
        _fused(4, 96, 8, 2),
        _mbconv(4, 192, 16, 2),
        _mbconv(6, 256, 24),
        _mbconv(6, 512, 32, 2),
        _mbconv(6, 640, 8),
    ),
)
B0 = _network(
    "efficientnetv2_b0",
    224,
    32,
    (
        _fused(1, 16, 1),
        _fused(4, 32, 2, 2),
        _fused(4, 48, 2, 2),
        _mbconv(4, 96, 3, 2),
        _mbconv(6, 112, 5),
        _mbconv(6, 192, 8, 2),
    ),
)


def efficientnetv2(name: str) -> Arch:
    """A base network by name: B0 scaled by its row.

    Channels round to the nearest multiple of 8, even below 90 % of the exact width: B3's first stage has 16, not 24.
    """
    row = PUBLISHED[name]
    scaled = scale_depth(scale_width(B0, row.width, min_ratio=0.0), row.depth)
    return scaled.replace(name=name, resolution=row.resolution)

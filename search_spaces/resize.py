"""Making a network wider, deeper or smaller: the papers' rounding rules, and the proxy's shrinking."""

from __future__ import annotations

import dataclasses
import math

from search_spaces.arch import Arch

DIVISOR = 8
LEAST = 0.9


def round_channels(channels: float, divisor: int = DIVISOR, least: float = LEAST) -> int:
    """Channels rounded to a multiple of `divisor`, never below `least` of what was asked (EN, as its code rounds)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < least * channels else rounded


def scale_width(arch: Arch, factor: float, divisor: int = DIVISOR, least: float = LEAST) -> Arch:
    """Every width, stem and head included, times `factor` and rounded. Factor 1 changes nothing."""
    _check_factor("width", factor)
    if factor == 1:
        return arch

    def scaled(channels: int) -> int:
        return round_channels(channels * factor, divisor, least)

    stages = tuple(dataclasses.replace(stage, channels=scaled(stage.channels)) for stage in arch.stages)
    return arch.replace(stages=stages, stem=scaled(arch.stem), head=scaled(arch.head) if arch.head else 0)


def scale_depth(arch: Arch, factor: float) -> Arch:
    """Every stage's layers times `factor`, rounded up (EN)."""
    _check_factor("depth", factor)
    stages = tuple(
        # A product such as 5 * 1.4 may miss a whole number by a rounding error; that must not add a layer.
        dataclasses.replace(stage, layers=max(1, math.ceil(round(stage.layers * factor, 9))))
        for stage in arch.stages
    )
    return arch.replace(stages=stages)


def shrink(arch: Arch, *, width: float = 1.0, resolution: int, min_map: int = 4, divisor: int = 4) -> Arch:
    """The proxy of a network: narrower, at `resolution` pixels, its last feature map at least `min_map` a side.

    Early strides are dropped first (stem, its pooling, then the stages): on a map of one pixel a late kernel carries no
    signal. The head keeps pace with the width. Raises ValueError where the images are smaller than `min_map`.
    """
    if resolution < min_map:
        raise ValueError(f"a proxy's resolution must be at least {min_map} px, got {resolution}")
    small = drop_strides(scale_width(arch, width, divisor).replace(resolution=resolution), min_map)
    return small.replace(name=f"{arch.name} proxy" if arch.name else "")


def drop_strides(arch: Arch, min_map: int) -> Arch:
    """The arch with as many early strides set to 1 as keep the last feature map at least `min_map` pixels a side."""
    strides = _strides(arch)
    for index in range(len(strides)):
        if _last_map(arch.resolution, strides) >= min_map:
            break
        strides[index] = 1
    stem_stride, stem_pool, *rest = strides
    stages = tuple(dataclasses.replace(stage, stride=stride) for stage, stride in zip(arch.stages, rest, strict=True))
    return arch.replace(stages=stages, stem_stride=stem_stride, stem_pool=stem_pool)


def last_map(arch: Arch) -> int:
    """Side of the last feature map in pixels."""
    return _last_map(arch.resolution, _strides(arch))


def _strides(arch: Arch) -> list[int]:
    return [arch.stem_stride, arch.stem_pool, *(stage.stride for stage in arch.stages)]


def _last_map(resolution: int, strides: list[int]) -> int:
    size = resolution
    for stride in strides:
        size = -(-size // stride)
    return size


def _check_factor(dimension: str, factor: float) -> None:
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"a {dimension} factor must be positive, got {factor}")

"""Making a network wider, deeper or smaller: the papers' rounding rules, and the proxy's shrinking."""

from __future__ import annotations

import dataclasses
import math

from search_spaces.arch import Arch

DIVISOR = 8


def round_channels(channels: float, divisor: int = DIVISOR) -> int:
    """Channels rounded to a multiple of `divisor`, never below 90 % of what was asked (EN, as its code rounds)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def scale_width(arch: Arch, factor: float, divisor: int = DIVISOR) -> Arch:
    """Every width, stem and head included, times `factor` and rounded. Factor 1 changes nothing."""
    _check_factor("width", factor)
    if factor == 1:
        return arch
    stages = tuple(
        dataclasses.replace(stage, channels=round_channels(stage.channels * factor, divisor)) for stage in arch.stages
    )
    stem, head = (round_channels(channels * factor, divisor) for channels in (arch.stem, arch.head))
    return arch.replace(stages=stages, stem=stem, head=head)


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

    Early strides are dropped first (stem, then the stages in order): on a map of one pixel a late kernel carries no
    signal. The head keeps pace with the width. Raises ValueError where the images are smaller than `min_map`.
    """
    if resolution < min_map:
        raise ValueError(f"a proxy's resolution must be at least {min_map} px, got {resolution}")
    small = drop_strides(scale_width(arch, width, divisor).replace(resolution=resolution), min_map)
    return small.replace(name=f"{arch.name} proxy" if arch.name else "")


def drop_strides(arch: Arch, min_map: int) -> Arch:
    """The arch with as many early strides set to 1 as keep the last feature map at least `min_map` pixels a side."""
    strides = [arch.stem_stride, *(stage.stride for stage in arch.stages)]
    for index in range(len(strides)):
        if _last_map(arch.resolution, strides) >= min_map:
            break
        strides[index] = 1
    stages = tuple(
        dataclasses.replace(stage, stride=stride) for stage, stride in zip(arch.stages, strides[1:], strict=True)
    )
    return arch.replace(stages=stages, stem_stride=strides[0])


def _last_map(resolution: int, strides: list[int]) -> int:
    size = resolution
    for stride in strides:
        size = -(-size // stride)
    return size


def _check_factor(dimension: str, factor: float) -> None:
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"a {dimension} factor must be positive, got {factor}")

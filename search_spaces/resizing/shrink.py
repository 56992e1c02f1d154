"""Cheaper networks: narrower, at a lower resolution, with fewer strides."""

from __future__ import annotations

import dataclasses

from search_spaces.networks.arch import Arch
from search_spaces.resizing.stages import scale_width


def shrink(arch: Arch, *, width: float = 1.0, resolution: int, min_map: int = 4, divisor: int = 4) -> Arch:
    """The proxy of a network: narrower, at `resolution` pixels, its last feature map at least `min_map` a side.

    Early strides are dropped first (stem, its pooling, then the stages): on a map of one pixel a late kernel carries no
    signal. The head is scaled by the width too. Raises ValueError if the images are smaller than `min_map`.
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

"""Channels and layers of every stage multiplied and rounded, as in the papers."""

from __future__ import annotations

import dataclasses
import math

from search_spaces.networks.arch import Arch

DIVISOR = 8
MIN_RATIO = 0.9


def round_channels(channels: float, divisor: int = DIVISOR, min_ratio: float = MIN_RATIO) -> int:
    """Channels rounded to a multiple of `divisor`, never below the share `min_ratio` of them (as EN's code rounds)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < min_ratio * channels else rounded


def scale_width(arch: Arch, factor: float, divisor: int = DIVISOR, min_ratio: float = MIN_RATIO) -> Arch:
    """Every width, stem and head included, times `factor` and rounded. Factor 1 changes nothing."""
    _check_factor("width", factor)
    if factor == 1:
        return arch

    def scaled(channels: int) -> int:
        return round_channels(channels * factor, divisor, min_ratio)

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


def _check_factor(dimension: str, factor: float) -> None:
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"a {dimension} factor must be positive, got {factor}")

"""The networks that are ranked: hand-made ones that differ in one thing, and uniformly drawn ones, of equal cost."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

import search_spaces as ss
from search_spaces.networks.arch import Arch
from search_spaces.resizing.matching import solve
from search_spaces.resizing.registry import get_strategy
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.shrink import drop_strides
from search_spaces.resizing.stages import scale_depth
from search_spaces.spaces.staged import StagedSpace

# Hand-made networks: published name, factor on its layers, the shortcuts that each form has in every stage.
HAND_MADE = {
    "mobilenet_v2": ("mobilenet_v2", 1.0, ("identity", "pool", "none")),
    "mnasnet_a1": ("mnasnet_a1", 1.0, ("identity", "pool")),
    "efficientnet_b0": ("efficientnet_b0", 1.0, ("identity", "pool")),
    "deep": ("mobilenet_v2", 1.5, ("identity", "pool", "none")),
    "shallow": ("mobilenet_v2", 0.5, ("identity", "pool")),
}
DRAWN = 12
# Drawn networks cost between these multiples of the target, as candidates of `nas.search` do by default.
COST_BAND = (0.8, 1.05)
# Below this side the stem has stride 1, so that the last of five strides does not end at one pixel.
SMALL_SIDE = 48
MIN_MAP = 2
DIVISOR = 4


@dataclass(frozen=True)
class Member:
    """A network that is ranked.

    base    the network that it is a form of; equal to the name for a drawn one
    skip    the shortcuts of all stages of a hand-made network; "drawn" if each stage has its own
    pooled  share of the layers that have a pooled shortcut or, where that is the same, an identity
    """

    name: str
    base: str
    skip: str
    pooled: float
    arch: Arch


def members(resolution: int, classes: int, target: int) -> list[Member]:
    """All networks, each of about `target` multiply-adds at `resolution` pixels."""
    return [*_hand_made(resolution, classes, target), *_drawn(resolution, classes, target)]


def _hand_made(resolution: int, classes: int, target: int) -> list[Member]:
    found = []
    for base, (published, depth, skips) in HAND_MADE.items():
        whole = scale_depth(ss.get(published), depth) if depth > 1 else _shallow(ss.get(published), depth)
        matched = _match(_small(whole, resolution, classes), target)
        found += [_member(f"{base}/{skip}", base, skip, _with_skip(matched, skip)) for skip in skips]
    return found


def _drawn(resolution: int, classes: int, target: int) -> list[Member]:
    """Drawn uniformly from the networks of the `mnasnet` space within the cost band."""
    width = math.sqrt(target / ss.cost(_small(ss.get("mobilenet_v2"), resolution, classes)).macs)
    made = ss.space("mnasnet", resolution=resolution, classes=classes, width=width, divisor=DIVISOR)
    assert isinstance(made, StagedSpace)
    space = StagedSpace("mnasnet", made.stages, made.reference.replace(stem_stride=_stem_stride(resolution)))
    band = (round(COST_BAND[0] * target), round(COST_BAND[1] * target))
    encodings = space.sample(np.random.default_rng(0), DRAWN, macs=band, of="networks")
    archs = [space.decode(space.choice(encoding)) for encoding in encodings]
    return [_member(f"drawn-{number:02}", f"drawn-{number:02}", "drawn", arch) for number, arch in enumerate(archs)]


def _small(arch: Arch, resolution: int, classes: int) -> Arch:
    """The arch for small images: its last map has at least two pixels a side."""
    frame = arch.replace(resolution=resolution, classes=classes, stem_stride=_stem_stride(resolution))
    return drop_strides(frame, MIN_MAP)


def _stem_stride(resolution: int) -> int:
    return 1 if resolution < SMALL_SIDE else 2


def _match(arch: Arch, target: int) -> Arch:
    """The arch with all widths scaled to the target cost."""
    rounding = Rounding(divisor=DIVISOR, step=2, min_ratio=0.0)
    return solve(arch, get_strategy("width"), target, rounding=rounding).arch


def _shallow(arch: Arch, factor: float) -> Arch:
    """The arch with fewer layers in each stage, at least one."""
    stages = (dataclasses.replace(stage, layers=max(1, round(factor * stage.layers))) for stage in arch.stages)
    return arch.replace(stages=tuple(stages))


def _with_skip(arch: Arch, skip: str) -> Arch:
    return arch.replace(stages=tuple(dataclasses.replace(stage, skip=skip) for stage in arch.stages))


def _member(name: str, base: str, skip: str, arch: Arch) -> Member:
    layers = sum(stage.layers for stage in arch.stages)
    pooled = sum(stage.layers for stage in arch.stages if stage.skip == "pool")
    return Member(name, base, skip, pooled / layers, arch.replace(name=name))

"""Which networks are controls: the one that the space varies, published ones, and some drawn uniformly."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from nas.controls.control import DEFAULT_NAMES, NONE, Control, Controls
from nas.region import SearchRegion
from search_spaces.metrics.compute import compute
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch
from search_spaces.resizing.metric_matching import TOLERANCE, match
from search_spaces.resizing.shrink import drop_strides
from search_spaces.spaces.staged import StagedSpace
from search_spaces.zoo.registry import find

REFERENCE = "the space's reference"
# The last feature map of a published network at the search's resolution has at least so many pixels a side.
MIN_MAP = 4
# Draws in vain, for each network that is wanted, before the region is taken to hold no further one.
MAX_REDRAWS = 20
Problem = Callable[[Arch], str]
"""Why a network at the target cannot be a control; empty if it can."""


def choose(
    region: SearchRegion,
    target: int,
    names: Sequence[str],
    random: int,
    *,
    seed: int = 0,
    problem: Problem = lambda _: "",
) -> Controls:
    """The controls of a region.

    Args:
        region: where networks are searched; its networks give resolution and number of classes
        target: value of the region's metric that networks are brought to
        names: published networks, arch files or module:name; none for none, and without the network that the space
            varies; empty for `DEFAULT_NAMES`
        random: number of networks to draw uniformly from the region; the first ones stay the same for a larger number
        seed: of the draws
        problem: a further reason against a network

    A network that has another's key counts once. A network of the default names, or the one that the space varies, is
    left out with the reason if it cannot be a control. Raises ValueError, in one line, for an unknown name, and for a
    named network that cannot reach the target within 3 %, or that exceeds a limit.

    """
    found: dict[str, Control] = {}
    left_out: dict[str, str] = {}
    for name, arch, asked in _candidates(region, names):
        matched = match(arch, region.metric.name, target, region.space.conditions)
        reason = "" if matched.is_reached else _out_of_reach(region, matched.value, target)
        if reason := reason or _over_limit(region, matched.arch) or problem(matched.arch):
            if asked:
                raise ValueError(f"--controls {name}: {reason}; remove it from --controls, or choose another target")
            left_out[name] = reason
            continue
        made = matched.arch.replace(name="")
        _add(found, Control(name, made, False, matched.value, matched.ratio, matched.layers, matched.width))
    for control in _drawn(region, target, random, seed, found):
        found[control.arch.key] = control
    return Controls(tuple(found.values()), left_out)


def _candidates(region: SearchRegion, names: Sequence[str]) -> list[tuple[str, Arch, bool]]:
    """The networks that are to be matched: name, arch at the search's size, whether the user named it."""
    if NONE in names:
        return []
    space = region.space
    like = _some_network(region)
    wanted = []
    for name in dict.fromkeys(names or DEFAULT_NAMES):
        try:
            arch = find(name)
        except ValueError as error:
            raise ValueError(f"--controls {name}: {error}") from None
        sized = arch.replace(resolution=like.resolution, classes=like.classes)
        wanted.append((name, drop_strides(sized, min(MIN_MAP, like.resolution)), bool(names)))
    if isinstance(space, StagedSpace):
        wanted.append((REFERENCE, space.reference, False))
    return wanted


def _some_network(region: SearchRegion) -> Arch:
    """Any network of the region's space."""
    space = region.space
    arch = space.decode(space.choice([0] * len(space.choices)))
    assert isinstance(arch, Arch)
    return arch


def _add(found: dict[str, Control], control: Control) -> None:
    """Add a control, or its name to the same network's."""
    key = control.arch.key
    if key in found:
        first = found[key]
        found[key] = Control(**{**vars(first), "also": (*first.also, control.name)})
    else:
        found[key] = control


def _out_of_reach(region: SearchRegion, value: int, target: int) -> str:
    metric = region.metric
    return (
        f"no width and depth brings it within {TOLERANCE:.0%} of {metric.describe(target)}; the nearest has "
        f"{metric.format(value, 4)}"
    )


def _over_limit(region: SearchRegion, arch: Arch) -> str:
    """Which limit the network exceeds; empty if none."""
    for name, limit in region.limits.items():
        metric, value = METRICS.row(name), compute(name, arch, region.space.conditions)
        if value > limit:
            return f"at the target it has {metric.describe(value)}, above the limit of {metric.format(limit)}"
    return ""


def _drawn(region: SearchRegion, target: int, number: int, seed: int, known: dict[str, Control]) -> list[Control]:
    """Different networks drawn uniformly from the region, none of them among the known ones."""
    drawn: dict[str, Control] = {}
    space, metric = region.space, region.metric.name
    for index in range(MAX_REDRAWS * number):
        if len(drawn) == number:
            break
        rng = np.random.default_rng((seed, zlib.crc32(b"control"), index))
        (row,) = space.sample(rng, 1, within=region.within, of="networks")
        arch: Arch = space.decode(space.choice(row))
        if arch.key not in known and arch.key not in drawn:
            value, layers = compute(metric, arch, space.conditions), sum(stage.layers for stage in arch.stages)
            name = f"random {len(drawn) + 1}"
            drawn[arch.key] = Control(name, arch.replace(name=""), True, value, value / target, layers)
    return list(drawn.values())

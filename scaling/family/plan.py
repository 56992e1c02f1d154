"""The networks of a family, and everything that can be wrong before it is written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.coefficients_file import Found, read
from scaling.family.config import FamilyConfig
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import PAPER, Coefficients, at_resolution
from search_spaces.resizing.strategy import V2

if TYPE_CHECKING:
    from scaling.family_members import FamilyMember


def origin(config: FamilyConfig) -> Found:
    """The coefficients, the baseline at its resolution and the rounding that the settings mean."""
    from search_spaces.zoo.registry import find

    name = config.baseline or ("efficientnet_b0" if config.coefficients == "paper" else "")
    given = PAPER if config.coefficients == "paper" else _numbers(config.coefficients)
    if given is None:
        found = read(config.coefficients)
        baseline = _at(config, find(name) if name else found.baseline)
        return dataclasses.replace(found, baseline=baseline, rounding=config.rounding.over(found.rounding))
    if not name:
        raise ValueError("--baseline is missing: coefficients given as numbers need a network's name or an arch file")
    baseline = _at(config, find(name))
    return Found(given, baseline, config.rounding.for_network(baseline))


def family(config: FamilyConfig, found: Found) -> list[FamilyMember]:
    """The networks, in the order of phi. Raises ValueError for a cap or depth weights that do not fit the baseline."""
    from scaling.family_members import grow

    given, stages = len(config.depth_weights), len(found.baseline.stages)
    if given not in (0, stages):
        raise ValueError(f"--depth-weights must be one number per stage, {stages} for this baseline, got {given}")
    strategy, side = config.scaling_strategy, found.baseline.resolution
    if 0 < strategy.cap < side:
        raise ValueError(
            f"--strategy {config.strategy} keeps images at {strategy.cap} px or below and the baseline has {side}: use "
            f"{V2}:{side} or more, or a --resolution of at most {strategy.cap}"
        )
    return [
        grow(found.baseline, found.coefficients, phi, found.rounding, config.memory, config.equal_cost, strategy)
        for phi in config.phi
    ]


def _at(config: FamilyConfig, baseline: Arch) -> Arch:
    return at_resolution(baseline, config.resolution) if config.resolution else baseline


def _numbers(text: str) -> Coefficients | None:
    """Three numbers; None for a file. Raises ValueError for text that is neither."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 3:
        return Coefficients(*numbers)
    if numbers or (not Path(text).exists() and not text.endswith(".json") and "/" not in text):
        raise ValueError(
            f"--coefficients must be a coefficients file, three numbers such as 1.2,1.1,1.15, or paper; got '{text}'"
        )
    return None

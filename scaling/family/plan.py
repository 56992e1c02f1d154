"""The networks of a family, and everything that can be wrong before it is written."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from scaling.coefficients_file import Found, read
from scaling.family.config import FamilyConfig, _numbers
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import PAPER, at_resolution
from search_spaces.resizing.strategy import V2

if TYPE_CHECKING:
    from scaling.family_members import FamilyMember


def source(config: FamilyConfig) -> Found:
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


def _at(config: FamilyConfig, baseline: Arch) -> Arch:
    return at_resolution(baseline, config.resolution) if config.resolution else baseline


def family(config: FamilyConfig, found: Found) -> list[FamilyMember]:
    """The networks, in the order of phi. ValueError for a cap or depth weights that do not go with the baseline."""
    from scaling.family_members import grow

    given, stages = len(config.depth_weights), len(found.baseline.stages)
    if given not in (0, stages):
        raise ValueError(f"--depth-weights must be one number a stage, {stages} for this baseline, got {given}")
    cap, side = config.way.cap, found.baseline.resolution
    if 0 < cap < side:
        raise ValueError(
            f"--strategy {config.strategy} keeps images at {cap} px or below and the baseline has {side}: take "
            f"{V2}:{side} or more, or a --resolution of at most {cap}"
        )
    return [
        grow(found.baseline, found.coefficients, phi, found.rounding, config.room, config.equal_cost, config.way)
        for phi in config.phi
    ]

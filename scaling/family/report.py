"""What the command prints: the family's table, and why nominal and realised values differ."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import search_spaces as ss
from scaling.coefficients_file import Found
from scaling.family.config import FamilyConfig
from scaling.family.files import INDEX
from scaling.family_members import FamilyMember, family_table
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import CONVENTION
from search_spaces.resizing.compound import PAPER, Growth, Multipliers
from search_spaces.resizing.depths import EVEN, LATE
from search_spaces.zoo.efficientnet import B0, PUBLISHED

WIDTH = 120


def describe(config: FamilyConfig, found: Found, members: Sequence[FamilyMember]) -> str:
    """The family as text."""
    table = family_table(members, config.memory)
    parts = (_headline(config, found), table, _explanation(config, found), _b1(found), _files(config, members))
    return "\n\n".join(filter(None, parts))


def _headline(config: FamilyConfig, found: Found) -> str:
    base, coefficients, strategy = found.baseline, found.coefficients, config.scaling_strategy
    how = ["grown to 2^phi times its FLOPs" if config.equal_cost else "rounded as in the papers"]
    if strategy.cap:
        how.append(f"up to {strategy.cap} px")
    if strategy.depth_weights == LATE:
        how.append("layers added to late stages first")
    elif strategy.depth_weights != EVEN:
        how.append(f"stages deepened as {' '.join(f'{weight:g}' for weight in strategy.depth_weights)}")
    return (
        f"Family of {base.name or base.key}, {base.resolution} px, {', '.join(how)}\n"
        f"alpha/beta/gamma {coefficients}: d = alpha^phi, w = beta^phi, r = gamma^phi; "
        f"alpha * beta^2 * gamma^2 = {coefficients.product:.3f}"
    )


def _explanation(config: FamilyConfig, found: Found) -> str:
    layers = "rounded up or down to meet the FLOPs" if config.equal_cost else "rounded up in every stage"
    rounding = found.rounding
    floor = f" (never below {100 * rounding.min_ratio:g} %)" if rounding.min_ratio else ""
    lines = (
        "Nominal: what the coefficients ask for, cost = d * w^2 * r^2. Realised: the network as it is. Layers are "
        f"{layers}, channels to multiples of {rounding.divisor}{floor}, the resolution to multiples of "
        f"{rounding.step} px. Not all of the cost grows with d * w^2 * r^2: stem and head have no depth, and a stage's "
        "first layer costs more or less than its others.",
        CONVENTION,
        "Dropout: suggested, as EfficientNet's: 0.2 for the baseline, 0.045 more per doubling of its cost, at most "
        "0.5; use it with studies.train --dropout.",
        f"Memory: peak of a training step at batch size {config.batch_size} (SGD with momentum, float32), and of one "
        "image's forward pass.",
    )
    return "\n".join(textwrap.fill(line, WIDTH) for line in lines)


def _b1(found: Found) -> str:
    """For EfficientNet's own baseline and coefficients: its published B1 is another network than phi = 1."""
    if found.coefficients != PAPER or found.baseline.key != B0.key:
        return ""
    row, b1 = PUBLISHED["efficientnet_b1"], ss.get("efficientnet_b1")
    growth = Growth.of(b1, B0, Multipliers(row.depth, row.width, row.resolution / B0.resolution))
    text = (
        f"The published EfficientNet-B1 is not phi = 1: its multipliers are {growth.nominal}, nominal cost "
        f"{growth.nominal.nominal_cost:.2f}, realised {growth.macs_ratio:.2f} ({format_count(ss.cost(b1).macs, 4)}). "
        "Every published member has its own multipliers."
    )
    return textwrap.fill(text, WIDTH)


def _files(config: FamilyConfig, members: Sequence[FamilyMember]) -> str:
    folder = Path(config.out)
    names = " ".join(f"{member.label}.json" for member in members)
    return (
        f'networks  {names} in {folder}; search_spaces.Arch.load("{folder / members[-1].label}.json")\n'
        f"tables    {folder / 'family.csv'}, {folder / INDEX}; a network's own table, stage by stage, beside it (.txt)"
    )

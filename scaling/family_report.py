"""What the command that grows a family prints: the table, and why what was asked and what came out differ."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import search_spaces as ss
from scaling.budget import TOLERANCE
from scaling.coefficients_file import Found
from scaling.compound import PAPER, Growth, Multipliers
from scaling.family import INDEX, FamilyConfig
from scaling.family_table import Member, Room, exact
from scaling.roundings import Rounding
from scaling.strategy import V2
from search_spaces.efficientnet import B0, PUBLISHED
from search_spaces.table import CONVENTION, align
from search_spaces.units import format_bytes, format_count

_GROUPS = ("", "nominal", "", "", "", "realised", *[""] * 8, "memory", "", "", "")
_MULTIPLIERS = ("d", "w", "r", "cost")
_COSTS = ("px", "layers", "FLOPs", "params", "activations", "training", "inference", "dropout")
_COLUMNS = ("phi", *_MULTIPLIERS, *_MULTIPLIERS, *_COSTS, "")
_WIDTH = 120


def describe(config: FamilyConfig, found: Found, members: Sequence[Member]) -> str:
    """The family as text."""
    parts = (_headline(config, found), table(members, config.room), _explanation(config, found), _b1(found))
    return "\n\n".join(filter(None, (*parts, _files(config, members))))


def table(members: Sequence[Member], room: Room) -> str:
    """A line a member: nominal and realised multipliers and cost, FLOPs, params, activations, memory, remarks."""
    return align(_GROUPS, [_COLUMNS, *(_cells(member, room) for member in members)])


def _cells(member: Member, room: Room) -> tuple[str, ...]:
    asked, got = member.growth.nominal, member.growth.realised
    return (
        exact(member.phi),
        *(f"{value:.2f}" for value in (asked.depth, asked.width, asked.resolution, asked.nominal_cost)),
        *(f"{value:.2f}" for value in (got.depth, got.width, got.resolution, member.growth.macs_ratio)),
        *(str(value) for value in (member.arch.resolution, sum(stage.layers for stage in member.arch.stages))),
        *(format_count(value, 4) for value in (member.cost.macs, member.cost.params, member.cost.activations)),
        *(format_bytes(value, 3) for value in (member.training, member.inference)),
        f"{member.dropout:.2f}",
        _remark(member, room),
    )


def _remark(member: Member, room: Room) -> str:
    """What to mind: too little memory for the batch, a target that no rounding meets."""
    remarks = []
    if room.limit is not None and member.training > room.limit:
        fits = f"batch {member.batch} fits" if member.batch else "no batch fits"
        remarks.append(f"over {format_bytes(room.limit)}: {fits}")
    if abs(member.miss) > TOLERANCE:
        remarks.append(f"misses 2^phi by {member.miss:+.1%}")
    return "; ".join(remarks)


def _headline(config: FamilyConfig, found: Found) -> str:
    base, rule = found.baseline, found.coefficients
    way = "grown to 2^phi times its FLOPs" if config.equal_cost else "rounded as in the papers"
    if config.way.cap:
        way += f", {V2}: up to {config.way.cap} px"
    if config.depth_weights:
        way += f", stages deepened as {' '.join(f'{weight:g}' for weight in config.depth_weights)}"
    elif config.way.cap:
        way += ", layers added late first"
    return (
        f"Family of {base.name or base.key}, {base.resolution} px, {way}\n"
        f"alpha/beta/gamma {rule}: d = alpha^phi, w = beta^phi, r = gamma^phi; "
        f"alpha * beta^2 * gamma^2 = {rule.product:.3f}"
    )


def _explanation(config: FamilyConfig, found: Found) -> str:
    layers = "rounded up or down, so that the FLOPs come out" if config.equal_cost else "rounded up in every stage"
    lines = (
        "Nominal: what the coefficients ask for, cost = d * w^2 * r^2. Realised: the network as it is. Layers are "
        f"{layers}, channels to multiples of {found.rounding.divisor}{_floor(found.rounding)}, the resolution to "
        f"multiples of {found.rounding.step} px. And not all of the cost grows with d * w^2 * r^2: stem and head have "
        "no depth, a stage's first layer has another cost than its others.",
        CONVENTION,
        "Dropout: suggested, as EfficientNet's: 0.2 for the baseline, 0.045 more a doubling of its cost, 0.5 at most; "
        "studies.train --dropout takes it.",
        f"Memory: peak of a training step at batch size {config.batch_size} (SGD with momentum, float32), and of one "
        "image's forward pass.",
    )
    return "\n".join(textwrap.fill(line, _WIDTH) for line in lines)


def _floor(rounding: Rounding) -> str:
    return f" (never below {100 * rounding.least:g} %)" if rounding.least else ""


def _b1(found: Found) -> str:
    """For EfficientNet's own baseline and coefficients: its published B1 is another network than phi = 1."""
    if found.coefficients != PAPER or found.baseline.key != B0.key:
        return ""
    row, b1 = PUBLISHED["efficientnet_b1"], ss.get("efficientnet_b1")
    growth = Growth.of(b1, B0, Multipliers(row.depth, row.width, row.resolution / B0.resolution))
    text = (
        f"The published EfficientNet-B1 is not phi = 1: its multipliers are {growth.nominal}, nominal cost "
        f"{growth.nominal.nominal_cost:.2f}, realised {growth.macs_ratio:.2f} ({format_count(ss.cost(b1).macs, 4)}). "
        "Every published member has multipliers of its own."
    )
    return textwrap.fill(text, _WIDTH)


def _files(config: FamilyConfig, members: Sequence[Member]) -> str:
    folder = Path(config.out)
    names = " ".join(f"{member.label}.json" for member in members)
    return (
        f'networks  {names} in {folder}; search_spaces.Arch.load("{folder / members[-1].label}.json")\n'
        f"tables    {folder / 'family.csv'}, {folder / INDEX}; a network's own, stage by stage, beside it (.txt)"
    )

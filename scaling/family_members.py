"""The members of a family: each grown from the baseline, with cost, memory and dropout, as values and as a table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scaling.experiment.regularisation import for_multiple
from search_spaces.common.text import align_columns
from search_spaces.common.units import format_bytes, format_count
from search_spaces.metrics.counts import Cost, cost
from search_spaces.metrics.memory import inference_memory, largest_batch, training_memory
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Coefficients, Growth, scale
from search_spaces.resizing.matching import TOLERANCE, solve
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import NAMED, Strategy
from studies.trainer.registry import get_recipe

_GROUPS = ("", "nominal", "", "", "", "realised", *[""] * 8, "memory", "", "", "")
_MULTIPLIERS = ("d", "w", "r", "cost")
_COSTS = ("px", "layers", "FLOPs", "params", "activations", "training", "inference", "dropout")
_COLUMNS = ("phi", *_MULTIPLIERS, *_MULTIPLIERS, *_COSTS, "")
_WIDTH = 120


MAX_BATCH = 4096.0
"""Multiple of the baseline's cost beyond which a member would be no network that anybody trains."""


def table(members: Sequence[FamilyMember], room: MemoryBudget) -> str:
    """A line a member: nominal and realised multipliers and cost, FLOPs, params, activations, memory, remarks."""
    return align_columns(_GROUPS, [_COLUMNS, *(_cells(member, room) for member in members)])


def _cells(member: FamilyMember, room: MemoryBudget) -> tuple[str, ...]:
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


def _remark(member: FamilyMember, room: MemoryBudget) -> str:
    """What to mind: too little memory for the batch, a target that no rounding meets."""
    remarks = []
    if room.limit is not None and member.training > room.limit:
        fits = f"batch {member.batch} fits" if member.batch else "no batch fits"
        remarks.append(f"over {format_bytes(room.limit)}: {fits}")
    if abs(member.miss) > TOLERANCE:
        remarks.append(f"misses 2^phi by {member.miss:+.1%}")
    return "; ".join(remarks)


def _floor(rounding: Rounding) -> str:
    return f" (never below {100 * rounding.least:g} %)" if rounding.least else ""


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """A network of a family.

    phi        its place in the family
    arch       the network, with its name
    growth     nominal and realised multipliers and cost over the baseline
    cost       params, macs, activations
    target     multiply-adds that were asked for; None where multipliers were
    training   peak bytes of a training step at the family's batch size
    inference  peak bytes of one image's forward pass
    batch      the largest batch whose training fits the memory that there is; None where no limit was given
    """

    phi: float
    arch: Arch
    growth: Growth
    cost: Cost
    target: int | None
    training: int
    inference: int
    batch: int | None

    @property
    def label(self) -> str:
        """The member's file name without its ending, such as "phi-0.5"."""
        return f"phi-{exact(self.phi)}"

    @property
    def dropout(self) -> float:
        """EN's dropout for a network of this cost, where the baseline's is 0.2."""
        recipe = get_recipe("efficientnet")
        return float(for_multiple(recipe, self.growth.macs_ratio).get("dropout", recipe.dropout))

    @property
    def miss(self) -> float:
        """By what share of its target the cost misses it; 0 where there is none."""
        return self.cost.macs / self.target - 1 if self.target else 0.0

    def row(self) -> dict[str, Any]:
        """The member as plain values: bytes, multiply-adds, ratios over the baseline."""
        return {
            "phi": self.phi,
            "name": self.arch.name,
            "file": f"{self.label}.json",
            "key": self.arch.key,
            **self.growth.as_dict(),
            "input_px": self.arch.resolution,
            "layers": sum(stage.layers for stage in self.arch.stages),
            "macs": self.cost.macs,
            "target_macs": self.target,
            "params": self.cost.params,
            "activations": self.cost.activations,
            "training_bytes": self.training,
            "inference_bytes": self.inference,
            "largest_batch": self.batch,
            "dropout": self.dropout,
        }


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """The batch that a member is trained with, and the bytes that there are for it; None is no limit."""

    batch_size: int
    limit: int | None


def grow(
    baseline: Arch,
    coefficients: Coefficients,
    phi: float,
    rounding: Rounding,
    room: MemoryBudget,
    equal_cost: bool,
    spread: Strategy = NAMED["compound"],
) -> FamilyMember:
    """The member at phi: by the papers' rounding, or solved to 2^phi times the baseline's multiply-adds.

    `spread` says where depth goes and where resolution ends, whatever its exponents. Raises ValueError where phi is
    negative or makes the network more than `MAX_BATCH` times as costly.
    """
    nominal = coefficients.multipliers(phi)
    # In logarithms, because a large phi's power of 2 may be beyond all numbers.
    if (phi * math.log(2) if equal_cost else math.log(nominal.nominal_cost)) > math.log(MAX_BATCH):
        raise ValueError(f"phi {phi:g} means more than {MAX_BATCH:g} times the baseline's cost: lower it")
    if equal_cost and phi:
        target = round(2**phi * cost(baseline).macs)
        strategy = replace(Strategy.of(coefficients), cap=spread.cap, depth_weights=spread.depth_weights)
        solution = solve(baseline, strategy, target, rounding=rounding)
        return _member(phi, solution.arch, solution.growth, room, solution.target)
    arch = scale(
        baseline,
        coefficients,
        phi,
        divisor=rounding.divisor,
        step=rounding.step,
        least=rounding.least,
        cap=spread.cap,
        depth_weights=spread.depth_weights,
    )
    return _member(phi, arch, Growth.of(arch, baseline, nominal), room, cost(arch).macs if equal_cost else None)


def _member(phi: float, arch: Arch, growth: Growth, room: MemoryBudget, target: int | None) -> FamilyMember:
    return FamilyMember(
        phi,
        arch.replace(name=f"family-phi-{exact(phi)}"),
        growth,
        cost(arch),
        target,
        training_memory(arch, room.batch_size).total,
        inference_memory(arch, 1).total,
        None if room.limit is None else largest_batch(arch, room.limit),
    )


def exact(value: float) -> str:
    """The shortest text of a number that is read back to the same, without a trailing ".0"."""
    return repr(float(value)).removesuffix(".0")


def to_csv(members: Sequence[FamilyMember]) -> str:
    """A line a member, in raw units; what does not apply is empty."""
    text = io.StringIO()
    rows = [member.row() for member in members]
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

"""The members of a family: each grown from the baseline, with cost, memory and dropout, and their table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scaling.experiment.regularisation import for_multiple
from search_spaces.common.text import align_columns
from search_spaces.common.units import format_bytes
from search_spaces.metrics.counts import Cost, cost
from search_spaces.metrics.memory import inference_memory, largest_batch, training_memory
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Coefficients, Growth, scale
from search_spaces.resizing.matching import TOLERANCE, solve
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import COMPOUND, Strategy
from studies.trainer.registry import get_recipe

# A member of more than this multiple of the baseline's cost is beyond what anybody trains.
MAX_MULTIPLE = 4096.0
# The table's header: what groups of columns mean, and the columns.
GROUPS = ("", "nominal", "", "", "", "realised", *[""] * 8, "memory", "", "", "")
MULTIPLIERS = ("d", "w", "r", "cost")
COUNTS = ("macs", "params", "activations")
# Short names: the table is as wide as a line may be.
COSTS = ("px", "layers", "FLOPs", "params", "activations", "training", "inference", "dropout")
COLUMNS = ("phi", *MULTIPLIERS, *MULTIPLIERS, *COSTS, "")


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """A network of a family.

    phi        its place in the family
    arch       the network, with its name
    growth     nominal and realised multipliers and cost over the baseline
    cost       params, macs, activations
    target     multiply-adds to be met; None if the member was grown by multipliers
    training   peak bytes of a training step at the family's batch size
    inference  peak bytes of one image's forward pass
    batch      the largest batch whose training fits the memory limit; None without a limit
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
        """EN's dropout for a network of this cost, if the baseline's is 0.2."""
        recipe = get_recipe("efficientnet")
        return float(for_multiple(recipe, self.growth.macs_ratio).get("dropout", recipe.dropout))

    @property
    def miss(self) -> float:
        """Relative difference between cost and target; 0 without a target."""
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
    """Batch size of a training step, and the limit on its memory in bytes; None is no limit."""

    batch_size: int
    limit: int | None


def grow(
    baseline: Arch,
    coefficients: Coefficients,
    phi: float,
    rounding: Rounding,
    memory: MemoryBudget,
    equal_cost: bool,
    strategy: Strategy = COMPOUND,
) -> FamilyMember:
    """The member at phi: by the papers' rounding, or solved to 2^phi times the baseline's multiply-adds.

    Of `strategy` only the depth weights and the cap on the resolution count. Raises ValueError if phi is negative or
    makes the network more than `MAX_MULTIPLE` times as costly.
    """
    nominal = coefficients.multipliers(phi)
    # In logarithms, because a large phi's power of 2 may be beyond all numbers.
    if (phi * math.log(2) if equal_cost else math.log(nominal.nominal_cost)) > math.log(MAX_MULTIPLE):
        raise ValueError(f"phi {phi:g} means more than {MAX_MULTIPLE:g} times the baseline's cost: lower it")
    if equal_cost and phi:
        target = round(2**phi * cost(baseline).macs)
        spread = replace(Strategy.of(coefficients), cap=strategy.cap, depth_weights=strategy.depth_weights)
        solution = solve(baseline, spread, target, rounding=rounding)
        return _member(phi, solution.arch, solution.growth, memory, solution.target)
    arch = scale(
        baseline,
        coefficients,
        phi,
        divisor=rounding.divisor,
        step=rounding.step,
        min_ratio=rounding.min_ratio,
        cap=strategy.cap,
        depth_weights=strategy.depth_weights,
    )
    return _member(phi, arch, Growth.of(arch, baseline, nominal), memory, cost(arch).macs if equal_cost else None)


def _member(phi: float, arch: Arch, growth: Growth, memory: MemoryBudget, target: int | None) -> FamilyMember:
    return FamilyMember(
        phi,
        arch.replace(name=f"family-phi-{exact(phi)}"),
        growth,
        cost(arch),
        target,
        training_memory(arch, memory.batch_size).total,
        inference_memory(arch, 1).total,
        None if memory.limit is None else largest_batch(arch, memory.limit),
    )


def family_table(members: Sequence[FamilyMember], memory: MemoryBudget) -> str:
    """A line per member: nominal and realised multipliers and cost, FLOPs, params, activations, memory, remarks."""
    return align_columns(GROUPS, [COLUMNS, *(_cells(member, memory) for member in members)])


def _cells(member: FamilyMember, memory: MemoryBudget) -> tuple[str, ...]:
    asked, got = member.growth.nominal, member.growth.realised
    return (
        exact(member.phi),
        *(f"{value:.2f}" for value in (asked.depth, asked.width, asked.resolution, asked.nominal_cost)),
        *(f"{value:.2f}" for value in (got.depth, got.width, got.resolution, member.growth.macs_ratio)),
        *(str(value) for value in (member.arch.resolution, sum(stage.layers for stage in member.arch.stages))),
        *(METRICS[name].format(getattr(member.cost, name), 4) for name in COUNTS),
        *(format_bytes(value, 3) for value in (member.training, member.inference)),
        f"{member.dropout:.2f}",
        _remark(member, memory),
    )


def _remark(member: FamilyMember, memory: MemoryBudget) -> str:
    """Too little memory for the batch, or a target that no rounding meets."""
    remarks = []
    if memory.limit is not None and member.training > memory.limit:
        fits = f"batch {member.batch} fits" if member.batch else "no batch fits"
        remarks.append(f"over {format_bytes(memory.limit)}: {fits}")
    if abs(member.miss) > TOLERANCE:
        remarks.append(f"misses 2^phi by {member.miss:+.1%}")
    return "; ".join(remarks)


def exact(value: float) -> str:
    """The shortest text of a number that is read back to the same, without a trailing ".0"."""
    return repr(float(value)).removesuffix(".0")

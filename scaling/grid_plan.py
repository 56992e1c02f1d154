"""What a grid is about to do: everything known, and everything found wrong, before compute is spent."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.candidates import Budget, Field, field
from scaling.grid_config import SLACK, GridConfig
from scaling.ground import Ground
from scaling.roundings import Rounding
from search_spaces.costs import cost
from studies.execution import Resources, settle_here


@dataclass(frozen=True)
class Plan:
    """A grid's settings, its baseline, its networks and what they run on; None where only a cluster knows."""

    config: GridConfig
    ground: Ground
    field: Field
    rounding: Rounding
    resources: Resources | None


def prepare(config: GridConfig) -> Plan:
    """Everything that can be found wrong beforehand: baseline, data set, points, budgets, resources."""
    highest = float(config.lattice.points()[:, 2].max()) ** config.phi
    ground = Ground.of(config, highest)
    base = cost(ground.trained).macs
    rounding = config.rounding.for_network(ground.trained)
    target = round(config.growth * base)
    budget = Budget(config.flops or round((1 + SLACK) * target), config.memory, config.batch_size, ground.pixels)
    networks = field(ground.trained, config.lattice, config.phi, rounding, budget, None if config.raw else target)
    networks.check(config.allow_small)
    return Plan(config, ground, networks, rounding, settle_here(config.execution))

"""What a grid will train, and everything that can be wrong before compute is spent."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.experiment.baseline import Baseline
from scaling.grid.config import MAX_EXCESS, GridConfig
from scaling.grid.networks import Budget, GridNetworks, grid_networks
from search_spaces.metrics.counts import cost
from search_spaces.resizing.rounding import Rounding
from studies.workers.resources import Resources, settle_here


@dataclass(frozen=True)
class GridPlan:
    """A grid's settings, its baseline, its networks and what they run on; None if only a cluster knows."""

    config: GridConfig
    baseline: Baseline
    grid: GridNetworks
    rounding: Rounding
    resources: Resources | None


def prepare(config: GridConfig) -> GridPlan:
    """Find everything that can be wrong beforehand: baseline, data set, points, budgets, resources."""
    max_resolution = float(config.lattice.points()[:, 2].max()) ** config.phi
    baseline = Baseline.of(config, max_resolution)
    rounding = config.rounding.for_network(baseline.trained)
    target = round(config.growth * cost(baseline.trained).macs)
    max_macs = config.flops or round((1 + MAX_EXCESS) * target)
    budget = Budget(max_macs, config.memory, config.batch_size, baseline.pixels)
    networks = grid_networks(
        baseline.trained, config.lattice, config.phi, rounding, budget, None if config.raw else target
    )
    networks.check(config.allow_small)
    return GridPlan(config, baseline, networks, rounding, settle_here(config.workers))

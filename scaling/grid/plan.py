"""What a grid will train, and everything that can be wrong before compute is spent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scaling.experiment.baseline import Baseline
from scaling.grid.budget import Budget
from scaling.grid.config import MAX_EXCESS, GridConfig
from scaling.grid.networks import GridNetworks, grid_networks
from search_spaces.metrics.counts import cost
from search_spaces.resizing.matching import Solution, solve
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.strategy import COMPOUND
from studies.workers.resources import Resources, settle_here


@dataclass(frozen=True)
class GridPlan:
    """A grid's settings, baseline, networks and budget, and what it runs on; None if only a cluster knows."""

    config: GridConfig
    baseline: Baseline
    grid: GridNetworks
    budget: Budget
    rounding: Rounding
    resources: Resources | None

    def paper(self, macs: int) -> Solution:
        """The network of the paper's coefficients with about so many multiply-adds, more than the baseline's."""
        baseline = self.grid.baseline
        return solve(baseline, COMPOUND, max(macs, cost(baseline).macs + 1), rounding=self.rounding)

    def trains_rates_of(self, paper: Solution) -> bool:
        """Whether the paper's network is trained at every learning rate by itself: it is not one of the grid's."""
        on_grid = {network.arch.key for network in self.grid.networks}
        within = not self.budget.excess(self.budget.values(paper.arch))
        return self.config.lr_per_network and within and paper.arch.key not in on_grid


def prepare(config: GridConfig) -> GridPlan:
    """Find everything that can be wrong beforehand: baseline, data set, points, limits, resources."""
    max_resolution = float(config.lattice.points()[:, 2].max()) ** config.phi
    baseline = Baseline.of(config, max_resolution)
    rounding = config.rounding.for_network(baseline.trained)
    target = round(config.growth * cost(baseline.trained).macs)
    limits = {"macs": round((1 + MAX_EXCESS) * target), **config.upper_limits}
    conditions = replace(config.schedule.conditions, batch_size=config.batch_size)
    budget = Budget(limits, conditions, baseline.pixels)
    networks = grid_networks(
        baseline.trained, config.lattice, config.phi, rounding, budget, None if config.raw else target
    )
    networks.check(config.allow_small)
    return GridPlan(config, baseline, networks, budget, rounding, settle_here(config.workers))

"""The analysis of a grid: accuracies with intervals, the best network, those not significantly different, a law."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaling.grid.networks import GridNetwork, GridNetworks
from scaling.law.data import training_rows
from scaling.law.fit import best_or_none, fit_or_none
from scaling.law.response import Best, Response
from search_spaces.metrics.counts import cost
from search_spaces.resizing.compound import Multipliers
from studies.statistics.best import best_set
from studies.statistics.intervals import Estimate, pooled_intervals

# A law is fitted to at least so many networks in addition to their baseline.
MIN_NETWORKS = 6
COEFFICIENTS = ("alpha", "beta", "gamma")

Accuracies = Mapping[int, float]
"""Accuracy by seed."""


@dataclass(frozen=True)
class NetworkResult:
    """A network of the grid and its accuracy.

    accuracies  validation accuracy by seed
    mean        over the seeds, matched to the target cost by the slope; its interval has the variance of all networks
    is_equal    whether it is not significantly different from the best (true for the best itself)
    """

    network: GridNetwork
    accuracies: Accuracies
    mean: Estimate
    is_equal: bool


@dataclass(frozen=True)
class GridAnalysis:
    """What follows from a grid's accuracies.

    ranking    the networks, best mean first
    baseline   the baseline's own accuracy, trained with the same seeds
    slope      accuracy gained by a doubling of cost, from the baseline to the networks' mean; corrects for the
               remaining differences from the target cost
    law        the fitted response surface; None for too few networks or one of 0 % accuracy
    optimum    its best multipliers at this cost; also None if the resolution alone may not grow so far
    """

    phi: float
    ranking: tuple[NetworkResult, ...]
    baseline: Estimate | None
    slope: float
    law: Response | None
    optimum: Best | None

    @property
    def best(self) -> NetworkResult:
        """The network with the highest mean."""
        return self.ranking[0]

    @property
    def equals(self) -> tuple[NetworkResult, ...]:
        """The networks that are not significantly different from the best, itself included."""
        return tuple(result for result in self.ranking if result.is_equal)

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest alpha, beta, gamma among the points of all networks in `equals`."""
        points = [point for result in self.equals for point in result.network.points]
        return {
            name: (min(getattr(point, name) for point in points), max(getattr(point, name) for point in points))
            for name in COEFFICIENTS
        }

    def optimal_coefficients(self) -> dict[str, Estimate] | None:
        """alpha, beta, gamma at the law's optimum, with the optimum's intervals; None without a law."""
        if self.optimum is None:
            return None
        names = {"alpha": "depth", "beta": "width", "gamma": "resolution"}
        return {ours: _root(self.optimum.intervals[theirs], self.phi) for ours, theirs in names.items()}


def analyse(
    grid: GridNetworks, accuracies: Mapping[str, Accuracies], phi: float, *, max_resolution: float
) -> GridAnalysis:
    """The analysis of the validation accuracies {network key: {seed: accuracy}}, the baseline's own among them.

    Raises ValueError if no network but the baseline has any.
    """
    trained = [(network, dict(accuracies[network.arch.key])) for network in grid.networks
               if accuracies.get(network.arch.key)]  # fmt: skip
    if not trained:
        raise ValueError("no network of the grid was trained to the end: see the outcomes in grid-trials.csv")
    own = accuracies.get(grid.baseline.key, {})
    slope = _slope(trained, own)
    target = grid.target or float(np.median([network.macs for network, _ in trained]))
    matched = {
        network.arch.key: [value - slope * math.log2(network.macs / target) for value in values.values()]
        for network, values in trained
    }
    blocked = len({frozenset(values) for _, values in trained}) == 1
    best = best_set(matched, blocked=blocked)
    groups = {**matched, **({grid.baseline.key: list(own.values())} if own else {})}
    means = dict(zip(groups, pooled_intervals(list(groups.values())), strict=True))
    results = [NetworkResult(network, values, means[network.arch.key], network.arch.key in best)
               for network, values in trained]  # fmt: skip
    results.sort(key=lambda result: -result.mean.value)
    law = _law(grid, trained, own)
    optimum = best_or_none(law, 2**phi, max_resolution) if law else None
    return GridAnalysis(phi, tuple(results), means.get(grid.baseline.key), slope, law, optimum)


def _law(grid: GridNetworks, trained: Sequence[tuple[GridNetwork, Accuracies]], own: Accuracies) -> Response | None:
    if len(trained) < MIN_NETWORKS:
        return None
    networks = [(network.growth.realised, network.macs, values) for network, values in trained]
    return fit_or_none(training_rows([*networks, (Multipliers(), cost(grid.baseline).macs, own)]))


def _slope(trained: Sequence[tuple[GridNetwork, Accuracies]], own: Accuracies) -> float:
    """Accuracy per doubling of cost between the baseline and the networks; 0 without the baseline's accuracy."""
    if not own:
        return 0.0
    gain = float(np.mean([np.mean(list(values.values())) for _, values in trained]) - np.mean(list(own.values())))
    doublings = math.log2(float(np.mean([network.growth.macs_ratio for network, _ in trained])))
    return gain / doublings if doublings > 0 else 0.0


def _root(estimate: Estimate, phi: float) -> Estimate:
    return Estimate(estimate.value ** (1 / phi), estimate.low ** (1 / phi), estimate.high ** (1 / phi), estimate.n)

"""What a grid says: every network's accuracy with its interval, the best, and those that cannot be told from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaling.grid.plan import GridNetwork, GridNetworks
from scaling.law.fit import best_or_none, fit_or_none
from scaling.law.response import Best, Response
from search_spaces.metrics.counts import cost
from search_spaces.resizing.compound import Coefficients
from studies.statistics.best import best_set
from studies.statistics.intervals import Estimate, pooled_intervals

# Networks in addition to their baseline that a law is fitted to, at least.
MIN_NETWORKS = 6


@dataclass(frozen=True)
class NetworkResult:
    """A network of the grid and how it did.

    accuracies  validation accuracy by seed
    mean        over the seeds, closed to the target cost by the slope; its interval has the variance of all networks
    is_equal    whether it cannot be told from the best (the best itself included)
    """

    candidate: GridNetwork
    accuracies: Mapping[int, float]
    mean: Estimate
    is_equal: bool


@dataclass(frozen=True)
class GridAnalysis:
    """The outcome of a grid.

    standings  best mean first
    baseline   the baseline's own accuracy, trained with the same seeds
    slope      accuracy gained by a doubling of cost, from the baseline to the networks' mean; used to adjust for what
               networks miss of the target cost
    law        the fitted response surface; None where the networks are too few, or one is never right
    optimum    its best multipliers at this cost; None likewise, and where the resolution alone may not grow so far
    """

    phi: float
    standings: tuple[NetworkResult, ...]
    baseline: Estimate | None
    slope: float
    law: Response | None
    optimum: Best | None

    @property
    def best(self) -> NetworkResult:
        """The network with the highest mean."""
        return self.standings[0]

    @property
    def equals(self) -> tuple[NetworkResult, ...]:
        """The networks that cannot be told from the best, itself included."""
        return tuple(standing for standing in self.standings if standing.is_equal)

    def spread(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest alpha, beta, gamma among the points of all networks that may be the best."""
        points = [point for standing in self.equals for point in standing.candidate.points]
        names = ("alpha", "beta", "gamma")
        return {
            name: (min(getattr(point, name) for point in points), max(getattr(point, name) for point in points))
            for name in names
        }

    def advised(self) -> dict[str, Estimate] | None:
        """alpha, beta, gamma at the law's optimum, with the intervals of its place; None without a law."""
        if self.optimum is None:
            return None
        names = {"alpha": "depth", "beta": "width", "gamma": "resolution"}
        return {ours: _root(self.optimum.intervals[theirs], self.phi) for ours, theirs in names.items()}


def analyse(
    field: GridNetworks, accuracies: Mapping[str, Mapping[int, float]], phi: float, *, max_resolution: float
) -> GridAnalysis:
    """The answer from the validation accuracies {network key: {seed: accuracy}}, the baseline's own among them.

    Raises ValueError where no network but the baseline has any.
    """
    trained = [(one, dict(accuracies[one.arch.key])) for one in field.networks if accuracies.get(one.arch.key)]
    if not trained:
        raise ValueError("no network of the grid was trained to the end: see the outcomes in grid-trials.csv")
    own = accuracies.get(field.baseline.key, {})
    slope = _slope(trained, own)
    target = field.target or float(np.median([one.macs for one, _ in trained]))
    closed = {
        one.arch.key: [value - slope * math.log2(one.macs / target) for value in values.values()]
        for one, values in trained
    }
    blocked = len({frozenset(values) for _, values in trained}) == 1
    best = best_set(closed, blocked=blocked)
    groups = {**closed, **({field.baseline.key: list(own.values())} if own else {})}
    means = dict(zip(groups, pooled_intervals(list(groups.values())), strict=True))
    standings = [NetworkResult(one, values, means[one.arch.key], one.arch.key in best) for one, values in trained]
    standings.sort(key=lambda standing: -standing.mean.value)
    law = _law(field, trained, own)
    optimum = best_or_none(law, 2**phi, max_resolution) if law else None
    return GridAnalysis(phi, tuple(standings), means.get(field.baseline.key), slope, law, optimum)


def rows(candidates: Sequence[tuple[GridNetwork, Mapping[int, float]]]) -> list[dict[str, float]]:
    """What a law is fitted to: a row a training, realised multipliers, cost and accuracy."""
    return [
        {
            "depth": one.growth.realised.depth,
            "width": one.growth.realised.width,
            "resolution": one.growth.realised.resolution,
            "macs": float(one.macs),
            "accuracy": accuracy,
            "seed": float(seed),
        }
        for one, values in candidates
        for seed, accuracy in values.items()
    ]


def _law(
    field: GridNetworks, trained: Sequence[tuple[GridNetwork, Mapping[int, float]]], own: Mapping[int, float]
) -> Response | None:
    if len(trained) < MIN_NETWORKS:
        return None
    macs = float(cost(field.baseline).macs)
    one = {"depth": 1.0, "width": 1.0, "resolution": 1.0, "macs": macs}
    return fit_or_none([*rows(trained), *({**one, "accuracy": acc, "seed": float(seed)} for seed, acc in own.items())])


def _slope(trained: Sequence[tuple[GridNetwork, Mapping[int, float]]], own: Mapping[int, float]) -> float:
    """Accuracy per doubling of cost between the baseline and the networks; 0 where the baseline is not known."""
    if not own:
        return 0.0
    gain = float(np.mean([np.mean(list(values.values())) for _, values in trained]) - np.mean(list(own.values())))
    doublings = math.log2(float(np.mean([one.growth.macs_ratio for one, _ in trained])))
    return gain / doublings if doublings > 0 else 0.0


def _root(estimate: Estimate, phi: float) -> Estimate:
    return Estimate(estimate.value ** (1 / phi), estimate.low ** (1 / phi), estimate.high ** (1 / phi), estimate.n)


def coefficients_found(answer: GridAnalysis) -> Coefficients:
    """The coefficients that the grid chooses: the best network's."""
    return answer.best.candidate.coefficients

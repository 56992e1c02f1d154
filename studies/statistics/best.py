"""Candidates not significantly different from the best: multiple comparisons with the best (Hsu 1981, 1996)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from studies.statistics.intervals import CONFIDENCE, Floats, blocked_variance, pooled_variance


def best_set(
    groups: Mapping[str, Sequence[float]], *, blocked: bool = False, confidence: float = CONFIDENCE
) -> dict[str, float]:
    """The candidates that are not significantly worse than another, each with its greatest possible lead.

    Args:
        groups: values of each candidate, such as the accuracies of its seeds; sizes may differ
        blocked: the i-th values of all candidates come from the same seed, and the common effect of a seed is removed
        confidence: probability that the set contains the truly best candidate

    The lead is the upper confidence bound of a candidate's mean minus the best mean of the others. A candidate whose
    bound is below 0 is left out: it is significantly worse than another one, at a level corrected for the number of
    comparisons (one-sided Dunnett, variance pooled over all candidates). With one value per candidate all of them stay.
    Ordered from the highest mean to the lowest. Raises ValueError for no candidates, or blocks of different sizes.

    """
    if not groups:
        raise ValueError("a comparison with the best needs at least one candidate, got none")
    if blocked and len({len(values) for values in groups.values()}) > 1:
        raise ValueError("blocked candidates need one value per seed each, got different numbers of values")
    names = sorted(groups, key=lambda name: -float(np.mean(groups[name])))
    values = [groups[name] for name in names]
    variance, freedom = blocked_variance(values) if blocked and len(values) > 1 else pooled_variance(values)
    means = np.array([np.mean(v) for v in values])
    sizes = np.array([len(v) for v in values])
    leads: dict[str, float] = {}
    for i, name in enumerate(names):
        others = np.arange(len(names)) != i
        errors = np.sqrt(variance * (1 / sizes[i] + 1 / sizes[others]))
        ratios = tuple(float(n / (n + sizes[i])) for n in sizes[others])
        leads[name] = _greatest_lead(means[i] - means[others], errors, ratios, freedom, confidence)
    # Without any variance, candidates of equal means have a lead of 0 and stay.
    return {name: lead for name, lead in leads.items() if lead >= 0}


def _greatest_lead(
    differences: Floats, errors: Floats, ratios: tuple[float, ...], freedom: int, confidence: float
) -> float:
    """Upper confidence bound of a candidate's lead over the best of the others; infinite without others or variance."""
    if not len(differences) or freedom < 1:
        return math.inf
    return float((differences + dunnett_quantile(confidence, ratios, freedom) * errors).min())


@lru_cache(maxsize=4096)
def dunnett_quantile(confidence: float, ratios: tuple[float, ...], freedom: int) -> float:
    """One-sided critical value for comparisons of many candidates with one (Dunnett 1955).

    `ratios` are n_j / (n_j + n_0) for each comparison: 0.5 if all have equally many values. The t values then have
    correlations sqrt(ratio_j * ratio_l). The result is the quantile of their maximum.
    """
    loadings = np.sqrt(np.array(ratios))
    rest = np.sqrt(1 - loadings**2)
    z, z_weights = _normal_nodes()
    s, s_weights = _scale_nodes(freedom)

    def excess(critical: float) -> float:
        # P(all t_j <= c), integrated over the common normal z and the scale s. Given both, the t_j are independent.
        inside = (loadings * z[:, None, None] + critical * s[None, :, None]) / rest
        return float(z_weights @ stats.norm.cdf(inside).prod(-1) @ s_weights) - confidence

    return float(optimize.brentq(excess, 0.0, 100.0, xtol=1e-8))


def _normal_nodes(count: int = 64) -> tuple[Floats, Floats]:
    """Nodes and weights that integrate against the standard normal density."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


def _scale_nodes(freedom: int, count: int = 128) -> tuple[Floats, Floats]:
    """Nodes and weights that integrate against the density of sqrt(chi2 / freedom)."""
    probabilities, weights = np.polynomial.legendre.leggauss(count)
    return np.sqrt(stats.chi2.ppf((probabilities + 1) / 2, freedom) / freedom), weights / 2

"""Simultaneous intervals for many contrasts of means, and gains of a selected network over others (max-t)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from studies.statistics.intervals import CONFIDENCE, Estimate, Floats, blocked_variance

Weights = tuple[float, ...]
# Draws of the means' errors for the quantile of max |t|; the common variance is integrated over exactly.
DRAWS = 1 << 16


@dataclass(frozen=True, slots=True)
class GainOver:
    """The gain in the mean of one network over the mean of some others.

    candidate   the network that gains
    against     names of the others; the mean of their means counts
    difference  the gain with its simultaneous interval; n counts the blocks
    """

    candidate: str
    against: tuple[str, ...]
    difference: Estimate

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0."""
        return self.difference.low > 0 or self.difference.high < 0


def gains_over(
    groups: Mapping[str, Sequence[float]],
    candidates: Sequence[str],
    against: Sequence[Sequence[str]],
    *,
    confidence: float = CONFIDENCE,
) -> list[GainOver]:
    """The gain of every candidate over every group of others, with intervals that hold for all of them at once.

    Args:
        groups: values of each network, one per block; the i-th values of all networks come from the same seed
        candidates: names of the networks that gain
        against: for each comparison the names of the others, of which the mean counts
        confidence: probability that all intervals together cover

    The model is a randomised complete block design: value = network + seed + error, with errors of one variance that is
    pooled over all networks. Each interval is difference +- c * standard error, where c is the quantile of the largest
    |t| over all contrasts, with their exact correlations (single-step max-t: Hothorn, Bretz & Westfall 2008,
    "Simultaneous inference in general parametric models", section 4.1; Dunnett's and Tukey's are cases of it).

    A winner may be selected among the candidates after their values are known, as the one with the highest mean: the
    intervals of all candidates cover at once, so those of the selected one do as well (Berk et al. 2013, "Valid
    post-selection inference", section 3.2). That is conservative. A group such as random networks is a fixed group: the
    interval is about these networks, and not about all that could have been drawn.

    A candidate may be among the others; compared with itself alone its gain is 0, with an interval of 0. With one
    block, or a single network in all, the ends are infinite. Raises ValueError for networks without values, or of
    different numbers of them, and for an unknown name.

    """
    names = list(groups)
    table = _table(groups)
    pairs = [(one, tuple(others)) for one in candidates for others in against]
    weights = [_weights(names, one, others) for one, others in pairs]
    means, blocks = table.mean(1), table.shape[1]
    variance, freedom = blocked_variance(table)
    different = tuple(row for row in weights if any(row))
    critical = max_t_quantile(different, freedom, confidence) if different and freedom else math.inf
    found = []
    for (one, others), row in zip(pairs, weights, strict=True):
        value, size = float(np.dot(row, means)), math.hypot(*row)
        half = critical * math.sqrt(variance / blocks) * size if size else 0.0
        found.append(GainOver(one, others, Estimate(value, value - half, value + half, blocks)))
    return found


@lru_cache(maxsize=256)
def max_t_quantile(weights: tuple[Weights, ...], freedom: int, confidence: float) -> float:
    """The quantile of the largest |t| of some contrasts of independent means with equal errors.

    `weights` are the contrasts' weights of the means, `freedom` the degrees of freedom of the common variance. The
    means' errors are drawn, always the same ones, which leaves an error of about 0.5 % in the quantile.
    """
    rows = np.array(weights, dtype=np.float64)
    rows /= np.sqrt((rows**2).sum(1, keepdims=True))
    draws = np.random.default_rng(0).standard_normal((DRAWS, rows.shape[1]))
    squares = ((draws @ rows.T) ** 2).max(1)

    def excess(critical: float) -> float:
        # Given the errors, the largest |t| stays below c if the variance, chi2 / freedom, is above max z^2 / c^2.
        return float(stats.chi2.sf(squares * freedom / critical**2, freedom).mean()) - confidence

    return float(optimize.brentq(excess, 1e-3, 1e4, xtol=1e-6))


def _table(groups: Mapping[str, Sequence[float]]) -> Floats:
    """The values as a table [networks, blocks]."""
    sizes = {len(values) for values in groups.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError("gains need one value per seed for each network, got different numbers of values, or none")
    return np.array([list(values) for values in groups.values()], dtype=np.float64)


def _weights(names: Sequence[str], one: str, others: Sequence[str]) -> Weights:
    unknown = [name for name in (one, *others) if name not in names]
    if unknown or not others:
        raise ValueError(f"the gain of {one} over {', '.join(others) or 'nothing'} needs networks with values")
    found = dict.fromkeys(names, 0.0)
    found[one] = 1.0
    for name in others:
        found[name] -= 1 / len(others)
    return tuple(found.values())

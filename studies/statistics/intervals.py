"""Estimates with confidence intervals: means, paired differences, rank correlations and gains per doubling of cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval.

    value  the point estimate
    low, high  ends of the two-sided confidence interval; infinite if there are too few data
    n      number of observations (or blocks, or pairs)
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"

    @property
    def percent(self) -> str:
        """An accuracy with its interval, such as "84.3 ± 0.6 %"."""
        half = (self.high - self.low) / 2
        spread = f" ± {100 * half:.1f}" if math.isfinite(half) else ""
        return f"{100 * self.value:.1f}{spread} %"

    def to_dict(self) -> dict[str, float | int | None]:
        """JSON values: value, low, high, n; an infinite end is null."""
        low, high = (end if math.isfinite(end) else None for end in (self.low, self.high))
        return {"value": self.value, "low": low, "high": high, "n": self.n}

    @classmethod
    def of_dict(cls, values: object) -> Estimate:
        """The estimate that `to_dict` wrote. Raises ValueError for anything else."""
        if not isinstance(values, Mapping):
            raise ValueError(f"an estimate must be an object of value, low, high and n, got {values!r:.40}")
        value, low, high = (finite(values.get(name)) for name in ("value", "low", "high"))
        if value is None:
            raise ValueError(f"an estimate must have a value, got {values.get('value')!r:.40}")
        n = values.get("n")
        ends = (-math.inf if low is None else low, math.inf if high is None else high)
        return cls(value, *ends, n if isinstance(n, int) else 0)


def finite(value: object) -> float | None:
    """A value as a finite float; None for anything else, such as text, nan or a missing value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def mean_interval(values: ArrayLike, *, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of one sample with Student's t interval, which is infinite for a single value."""
    sample = _sample(values, "values")
    n = len(sample)
    error = float(sample.std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf
    return _t_interval(float(sample.mean()), error, n - 1, n, confidence)


def pooled_variance(groups: Sequence[ArrayLike]) -> tuple[float, int]:
    """(variance, degrees of freedom) common to all samples: the sum of squares about each sample's own mean."""
    samples = [_sample(group, "group") for group in groups]
    squares = sum(float(((s - s.mean()) ** 2).sum()) for s in samples)
    freedom = sum(len(s) - 1 for s in samples)
    return (squares / freedom if freedom else math.inf), freedom


def blocked_variance(table: ArrayLike) -> tuple[float, int]:
    """(variance, degrees of freedom) of a table [candidates, seeds] after removing the effects of rows and columns.

    The residual of a randomised complete block design: the common effect of a seed on all candidates is removed.
    """
    y = np.asarray(table, dtype=np.float64)
    if y.ndim != 2 or not np.isfinite(y).all():
        raise ValueError(f"blocked values must be a finite table [candidates, seeds], got shape {y.shape}")
    residual = y - y.mean(1, keepdims=True) - y.mean(0, keepdims=True) + y.mean()
    freedom = (y.shape[0] - 1) * (y.shape[1] - 1)
    return (float((residual**2).sum()) / freedom if freedom else math.inf), freedom


def pooled_intervals(groups: Sequence[Sequence[float]], *, confidence: float = CONFIDENCE) -> list[Estimate]:
    """Each group's mean with Student's t interval, the variance within groups pooled over all (`pooled_variance`).

    Not corrected for the number of groups; infinite if no group has two values. Raises ValueError for an empty group.
    """
    samples = [_sample(group, "a group's values") for group in groups]
    variance, freedom = pooled_variance(samples)
    return [_t_interval(float(y.mean()), math.sqrt(variance / len(y)), freedom, len(y), confidence) for y in samples]


def paired_difference(first: ArrayLike, second: ArrayLike, *, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of first - second over pairs (such as equal seeds) with Student's t interval."""
    a, b = _pairs(first, second)
    return mean_interval(a - b, confidence=confidence)


def kendall(
    x: ArrayLike, y: ArrayLike, rng: np.random.Generator, *, resamples: int = 2000, confidence: float = CONFIDENCE
) -> Estimate:
    """Kendall's tau-b (ties corrected) of two rankings of the same things, with a percentile bootstrap interval.

    Raises ValueError for fewer than three pairs, or if all values of one side are equal.
    """
    a, b = _pairs(x, y, minimum=3)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("Kendall's tau is undefined for a constant: all values of one side are equal")
    tau = float(stats.kendalltau(a, b).statistic)
    return _percentiles(tau, _bootstrap_taus(a, b, _draws(rng, len(a), resamples)), len(a), confidence)


def kendall_difference(
    first: ArrayLike,
    second: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator,
    *,
    resamples: int = 2000,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """tau-b of `first` with y minus tau-b of `second` with y, with a paired percentile bootstrap interval.

    Both rank the same things, and both taus use the same resamples of things. Things that are hard to rank are so for
    both, so the interval is shorter than those of the two taus. Raises ValueError as `kendall` does.
    """
    (a, truth), (b, _) = _pairs(first, y, minimum=3), _pairs(second, y, minimum=3)
    if min(np.ptp(a), np.ptp(b), np.ptp(truth)) == 0:
        raise ValueError("Kendall's tau is undefined for a constant: all values of one side are equal")
    difference = float(stats.kendalltau(a, truth).statistic - stats.kendalltau(b, truth).statistic)
    draws = _draws(rng, len(a), resamples)
    differences = _bootstrap_taus(a, truth, draws) - _bootstrap_taus(b, truth, draws)
    return _percentiles(difference, differences, len(a), confidence)


def gain_per_doubling(macs: ArrayLike, accuracies: ArrayLike, *, confidence: float = CONFIDENCE) -> Estimate:
    """Relative gain in accuracy for twice the multiply-adds: 0.05 means 5 %.

    From the slope of log(accuracy) on log2(macs) by least squares: gain = exp(slope) - 1, and the same for both
    ends of the slope's t interval. MnasNet's w = -0.07 assumes 2^0.07 - 1, about 5 %.
    """
    cost, accuracy = _pairs(macs, accuracies, minimum=2)
    if (cost <= 0).any() or (accuracy <= 0).any():
        raise ValueError("a gain per doubling needs positive multiply-adds and accuracies")
    x = np.log2(cost)
    if np.ptp(x) == 0:
        raise ValueError("a gain per doubling needs networks of different cost, got a single cost")
    slope = stats.linregress(x, np.log(accuracy))
    n = len(x)
    line = _t_interval(float(slope.slope), float(slope.stderr) if n > 2 else math.inf, n - 2, n, confidence)
    return Estimate(math.expm1(line.value), math.expm1(line.low), math.expm1(line.high), n)


def _draws(rng: np.random.Generator, n: int, resamples: int) -> Floats:
    """The number of copies of each of n things in each resample [resamples, n]."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)


def _percentiles(value: float, resampled: Floats, n: int, confidence: float) -> Estimate:
    low, high = np.nanquantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high), n)


def _bootstrap_taus(a: Floats, b: Floats, counts: Floats) -> Floats:
    """tau-b of resamples of the pairs. A pair drawn twice is tied with itself on both sides, which tau-b ignores."""
    signs_a, signs_b = np.sign(a[:, None] - a), np.sign(b[:, None] - b)

    def total(signs: Floats) -> Floats:
        return np.asarray(((counts @ signs) * counts).sum(1))

    untied = np.sqrt(total(np.abs(signs_a)) * total(np.abs(signs_b)))
    with np.errstate(invalid="ignore"):
        return np.asarray(total(signs_a * signs_b) / untied)


def _t_interval(value: float, error: float, freedom: int, n: int, confidence: float) -> Estimate:
    if freedom < 1 or not math.isfinite(error):
        return Estimate(value, -math.inf, math.inf, n)
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    return Estimate(value, value - half, value + half, n)


def _sample(values: ArrayLike, what: str, *, minimum: int = 1) -> Floats:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or len(sample) < minimum or not np.isfinite(sample).all():
        raise ValueError(f"{what} must be at least {minimum} finite numbers, got {sample.tolist()}")
    return sample


def _pairs(x: ArrayLike, y: ArrayLike, *, minimum: int = 1) -> tuple[Floats, Floats]:
    a, b = _sample(x, "values", minimum=minimum), _sample(y, "values", minimum=minimum)
    if len(a) != len(b):
        raise ValueError(f"pairs need equally many values on both sides, got {len(a)} and {len(b)}")
    return a, b

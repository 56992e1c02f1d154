"""Whether one network is better than another: paired differences, permutation tests and equivalence tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from studies.statistics.best import dunnett_quantile
from studies.statistics.intervals import CONFIDENCE, Estimate, Floats, blocked_variance, finite, pooled_variance

MARGIN = 0.005  # accuracy
MIN_SEEDS = 6
EQUIVALENCE_LEVEL = 0.05
# The permutation test is exact up to this number of pairs; beyond, it draws as many sign patterns as these pairs have.
MAX_EXACT_PAIRS = 18
DRAWN_PATTERNS = 1 << MAX_EXACT_PAIRS


@dataclass(frozen=True, slots=True)
class Contrast:
    """The difference of two networks' accuracies (first - second), with its tests.

    difference     mean difference (a share: 0.01 is one point) with its t interval
    margin         differences smaller than this count as none
    confidence     of the interval
    comparisons    number of contrasts that the interval holds for at once
    p_permutation  two-sided sign-flip test; None if the number of pairs is too small to reach 1 - confidence
    smallest_p     smallest p that n pairs can reach, 2 / 2^n (times the comparisons); 1 without pairs
    p_equivalence  two one-sided t tests against the margin (TOST, Schuirmann 1987): the larger p
    """

    difference: Estimate
    margin: float
    confidence: float
    comparisons: int
    p_permutation: float | None
    smallest_p: float
    p_equivalence: float

    @property
    def equivalent(self) -> bool:
        """Whether the difference is smaller than the margin, at 5 % (its 90 % interval lies in the margin)."""
        return self.p_equivalence < EQUIVALENCE_LEVEL

    @property
    def agree(self) -> bool:
        """Whether interval and permutation test give the same result; True if there is no test."""
        return self.p_permutation is None or (self.p_permutation < 1 - self.confidence) == self._excludes_zero

    @property
    def verdict(self) -> str:
        """'better', 'worse', 'equivalent' or 'undecided'. A difference that is only not significant is undecided."""
        if self._excludes_zero and self.agree:
            return "better" if self.difference.value > 0 else "worse"
        return "equivalent" if self.equivalent else "undecided"

    @property
    def warning(self) -> str:
        """A warning about fewer than six seeds; empty if there are enough."""
        n = self.difference.n
        if n >= MIN_SEEDS:
            return ""
        return (
            f"only {n} seeds: a permutation test cannot reach a p below {self.smallest_p:.2g}, so the interval assumes "
            f"normal errors; use at least {MIN_SEEDS} seeds"
        )

    def sentence(self, first: str, second: str) -> str:
        """The result in one line, in percentage points. `first` and `second` are the names of the networks."""
        size = _points(self.difference, absolute=self.verdict in ("better", "worse"))
        basis = f"({self._basis()})"
        if self.verdict in ("better", "worse"):
            tail = f"; less than the margin of {100 * self.margin:g} points" if self.equivalent else ""
            verb = "beats" if self.verdict == "better" else "is worse than"
            return f"{first} {verb} {second} by {size} {basis}{tail}"
        if self.verdict == "equivalent":
            head = f"{first} and {second} are equivalent within {100 * self.margin:g} points"
            return f"{head}: {first} - {second} is {size} {basis}, equivalence p = {self.p_equivalence:.2g}"
        tail = "" if self.agree else "; interval and permutation test disagree"
        return f"undecided: {first} - {second} is {size} {basis}{tail}"

    def to_dict(self) -> dict[str, Any]:
        """JSON values: difference, verdict, p values, margin and number of comparisons."""
        return {
            "difference": self.difference.to_dict(),
            "verdict": self.verdict,
            "p_permutation": self.p_permutation,
            "p_equivalence": self.p_equivalence,
            "margin": self.margin,
            "comparisons": self.comparisons,
        }

    @classmethod
    def of_dict(cls, values: object) -> Contrast:
        """The contrast that `to_dict` wrote. Raises ValueError for anything else."""
        if not isinstance(values, Mapping):
            raise ValueError(f"a contrast must be an object, got {values!r:.40}")
        difference = Estimate.of_dict(values.get("difference"))
        comparisons = int(finite(values.get("comparisons")) or 1)
        margin, equivalence = finite(values.get("margin")), finite(values.get("p_equivalence"))
        return cls(
            difference=difference,
            margin=MARGIN if margin is None else margin,
            confidence=CONFIDENCE,
            comparisons=comparisons,
            p_permutation=finite(values.get("p_permutation")),
            smallest_p=min(1.0, comparisons * 2.0 ** (1 - difference.n)),
            p_equivalence=1.0 if equivalence is None else equivalence,
        )

    @property
    def _excludes_zero(self) -> bool:
        return self.difference.low > 0 or self.difference.high < 0

    def _basis(self) -> str:
        many = f" for {self.comparisons} comparisons at once" if self.comparisons > 1 else ""
        tested = "" if self.p_permutation is None else f", permutation p = {self.p_permutation:.2g}"
        return f"{100 * self.confidence:g} %{many}, {self.difference.n} seeds{tested}"


def compare(first: ArrayLike, second: ArrayLike, *, margin: float = MARGIN, confidence: float = CONFIDENCE) -> Contrast:
    """The contrast of two networks trained with the same seeds: first[i] and second[i] share seed i (0 to 1).

    Raises ValueError for unequal lengths, fewer than two seeds, or values that are not finite.
    """
    groups = {"first": np.asarray(first, dtype=np.float64), "second": np.asarray(second, dtype=np.float64)}
    return compare_pooled(groups, "first", "second", margin=margin, confidence=confidence)


def compare_pooled(
    groups: Mapping[str, Sequence[float] | Floats],
    first: str,
    second: str,
    *,
    blocked: bool = True,
    margin: float = MARGIN,
    confidence: float = CONFIDENCE,
) -> Contrast:
    """The contrast `first` - `second`, with a variance pooled over all groups so that few seeds suffice.

    Args:
        groups: accuracies of each network, one per seed
        first: name of one group
        second: name of the other group
        blocked: the i-th values of all groups come from the same seed, and the common effect of a seed is removed.
            Otherwise groups may differ in size, and there is no permutation test
        margin: differences smaller than this count as none
        confidence: confidence level of the interval

    Raises ValueError for unknown names, unequal sizes of blocks, fewer than two seeds, or values that are not finite.

    """
    samples = _samples(groups, blocked=blocked)
    rule = _Rule(blocked, margin, confidence)
    error, freedom = _error(samples, _known(samples, first), _known(samples, second), blocked)
    quantile = float(stats.t.ppf((1 + confidence) / 2, freedom))
    return _contrast(samples[first], samples[second], _Spread(error, freedom, quantile), rule)


def contrasts(
    groups: Mapping[str, Sequence[float] | Floats],
    against: str,
    *,
    blocked: bool = True,
    margin: float = MARGIN,
    confidence: float = CONFIDENCE,
) -> dict[str, Contrast]:
    """The contrasts `against` - each other group, with intervals that hold for all of them at once.

    Intervals are Dunnett's (1955), two-sided as two one-sided ones at half the error each, with the variance pooled
    over all groups. The p values of permutation and equivalence are multiplied by the number of comparisons
    (Bonferroni). Arguments and errors as in `compare_pooled`; also raises ValueError for fewer than two groups.
    """
    samples = _samples(groups, blocked=blocked)
    own = _known(samples, against)
    others = [name for name in samples if name != against]
    if not others:
        raise ValueError(f"'{against}' cannot be compared: there is no other network; add one")
    rule = _Rule(blocked, margin, confidence, len(others))
    ratios = tuple(len(samples[name]) / (len(samples[name]) + len(own)) for name in others)
    result = {}
    for name in others:
        error, freedom = _error(samples, own, samples[name], blocked)
        quantile = dunnett_quantile((1 + confidence) / 2, ratios, freedom)
        result[name] = _contrast(own, samples[name], _Spread(error, freedom, quantile), rule)
    return result


def sign_flip_p(differences: ArrayLike) -> float:
    """Two-sided p of a permutation test of paired differences: the share of sign patterns with as large a sum.

    Exact up to 18 pairs (262,144 patterns). For more pairs, as many patterns are drawn with a fixed seed.
    """
    d = np.asarray(differences, dtype=np.float64)
    if len(d) <= MAX_EXACT_PAIRS:
        bits = np.arange(1 << len(d))[:, None] >> np.arange(len(d)) & 1
        sums = np.abs((1 - 2 * bits) @ d)
        return float((sums >= abs(d.sum()) * (1 - 1e-9)).mean())
    sums = np.abs(np.random.default_rng(0).choice([-1.0, 1.0], (DRAWN_PATTERNS, len(d))) @ d)
    return float(((sums >= abs(d.sum()) * (1 - 1e-9)).sum() + 1) / (DRAWN_PATTERNS + 1))


@dataclass(frozen=True, slots=True)
class _Rule:
    """How all contrasts of one comparison are judged. Raises ValueError for a margin or confidence out of range.

    blocked      the i-th values of all groups come from the same seed
    margin       differences smaller than this count as none
    confidence   of the intervals
    comparisons  number of contrasts that the intervals hold for at once
    """

    blocked: bool
    margin: float
    confidence: float
    comparisons: int = 1

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"the margin of equivalence must be above 0, got {self.margin}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"the confidence must be between 0 and 1, got {self.confidence}")


@dataclass(frozen=True, slots=True)
class _Spread:
    """The standard error of a difference of means, its degrees of freedom, and half the interval in standard errors."""

    error: float
    freedom: int
    quantile: float


def _contrast(first: Floats, second: Floats, spread: _Spread, rule: _Rule) -> Contrast:
    n = min(len(first), len(second))
    value = float(first.mean() - second.mean())
    smallest = min(1.0, rule.comparisons * 2 / 2**n) if rule.blocked else 1.0
    return Contrast(
        difference=Estimate(value, value - spread.quantile * spread.error, value + spread.quantile * spread.error, n),
        margin=rule.margin,
        confidence=rule.confidence,
        comparisons=rule.comparisons,
        p_permutation=(
            min(1.0, rule.comparisons * sign_flip_p(first - second)) if smallest < 1 - rule.confidence else None
        ),
        smallest_p=smallest,
        p_equivalence=min(1.0, rule.comparisons * _equivalence_p(value, spread, rule.margin)),
    )


def _equivalence_p(value: float, spread: _Spread, margin: float) -> float:
    if spread.error == 0:
        return 0.0 if abs(value) < margin else 1.0
    return float(stats.t.sf((margin - abs(value)) / spread.error, spread.freedom))


def _error(samples: Mapping[str, Floats], a: Floats, b: Floats, blocked: bool) -> tuple[float, int]:
    """(standard error of the difference of two means, degrees of freedom)."""
    values = list(samples.values())
    variance, freedom = blocked_variance(values) if blocked else pooled_variance(values)
    return math.sqrt(variance * (1 / len(a) + 1 / len(b))), freedom


def _samples(groups: Mapping[str, Sequence[float] | Floats], *, blocked: bool) -> dict[str, Floats]:
    samples = {name: np.asarray(values, dtype=np.float64) for name, values in groups.items()}
    sizes = {name: len(values) for name, values in samples.items()}
    if any(not np.isfinite(values).all() for values in samples.values()):
        raise ValueError("accuracies must be finite; leave out the seeds without a finite accuracy")
    if blocked and len(set(sizes.values())) > 1:
        raise ValueError(
            f"a paired comparison needs the same seeds for all networks, got {sizes} seeds; train the missing ones"
        )
    if min(sizes.values(), default=2) < 2:
        raise ValueError(f"a comparison needs at least 2 seeds per network, got {sizes}; use --seeds 2 or more")
    return samples


def _known(samples: Mapping[str, Floats], name: str) -> Floats:
    if name not in samples:
        raise ValueError(f"network '{name}' is not among the compared ones: choose one of {', '.join(samples)}")
    return samples[name]


def _points(difference: Estimate, *, absolute: bool) -> str:
    ends = [100 * difference.value, 100 * difference.low, 100 * difference.high]
    if absolute and difference.value < 0:
        ends = [-ends[0], -ends[2], -ends[1]]
    value, low, high = (f"{end:.1f}" for end in ends)
    return f"{value} points [{low}, {high}]"

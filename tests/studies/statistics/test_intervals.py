"""Expected values: scipy, hand arithmetic, and the coverage of simulated intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studies.statistics.intervals import (
    blocked_variance,
    gain_per_doubling,
    kendall,
    kendall_difference,
    mean_interval,
    paired_difference,
    pooled_intervals,
    pooled_variance,
)


def test_mean_interval_by_hand() -> None:
    # mean 3, sd sqrt(2.5), standard error sqrt(0.5), t(0.975, 4) = 2.776
    estimate = mean_interval([1, 2, 3, 4, 5])
    assert estimate.value == 3
    assert estimate.high - 3 == pytest.approx(2.776445 * math.sqrt(0.5), rel=1e-6)
    assert estimate.low == pytest.approx(6 - estimate.high)
    assert estimate.n == 5


def test_one_value_says_nothing_about_its_spread() -> None:
    estimate = mean_interval([0.9])
    assert (estimate.value, estimate.low, estimate.high) == (0.9, -math.inf, math.inf)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [[1.0], [2.0]]])
def test_bad_samples_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mean_interval(values)


def test_pooled_variance_by_hand() -> None:
    # squares: 2 + 8 = 10 (1, 3 about 2; 4, 8 about 6), degrees of freedom 1 + 1; the single value adds none
    assert pooled_variance([[1, 3], [4, 8], [7]]) == (5.0, 2)


def test_pooled_intervals_by_hand() -> None:
    # Squares about the means: 0.5 + 2 + 0 over 1 + 1 + 0 degrees of freedom, so s^2 = 1.25; t(0.975, 2) = 4.3027.
    first, second, third = pooled_intervals([[1, 2], [3, 5], [9]])
    assert (first.value, second.value, third.value) == (1.5, 4.0, 9.0)
    assert first.high - first.value == pytest.approx(4.3027 * math.sqrt(1.25 / 2), rel=1e-4)
    assert third.high - third.value == pytest.approx(4.3027 * math.sqrt(1.25), rel=1e-4)
    assert [one.n for one in (first, second, third)] == [2, 2, 1]


def test_pooled_intervals_of_one_group_are_its_own_and_of_single_values_infinite() -> None:
    values = [0.81, 0.84, 0.80]
    assert pooled_intervals([values]) == [mean_interval(values)]
    assert [(one.low, one.high) for one in pooled_intervals([[1.0], [2.0]])] == [(-math.inf, math.inf)] * 2
    assert pooled_intervals([]) == []
    with pytest.raises(ValueError, match="at least 1 "):
        pooled_intervals([[1.0, 2.0], []])


def test_pooled_intervals_cover() -> None:
    rng, hits, n = np.random.default_rng(4), 0, 500
    for _ in range(n):
        groups = rng.normal([[0.0], [1.0], [5.0], [2.0]], 1.0, (4, 2))
        one = pooled_intervals(groups.tolist())[2]
        hits += one.low <= 5 <= one.high
    assert abs(hits / n - 0.95) < 4 * math.sqrt(0.95 * 0.05 / n)


def test_paired_difference_is_scipys_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(0.8, 0.02, 6)
    b = a - rng.normal(0.01, 0.005, 6)
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    estimate = paired_difference(a, b)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))


def test_blocked_variance_ignores_what_seeds_do_to_all() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(size=(4, 3))
    variance, freedom = blocked_variance(table)
    shifted = blocked_variance(table + np.array([5.0, -3.0, 10.0]) + np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert freedom == 6
    assert shifted == pytest.approx((variance, freedom))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=20))
def test_tau_is_scipys_with_ties(pairs: list[tuple[int, int]]) -> None:
    x, y = [p[0] for p in pairs], [p[1] for p in pairs]
    if len(set(x)) == 1 or len(set(y)) == 1:
        with pytest.raises(ValueError, match="constant"):
            kendall(x, y, np.random.default_rng(0))
        return
    assert kendall(x, y, np.random.default_rng(0), resamples=10).value == pytest.approx(
        stats.kendalltau(x, y).statistic
    )


def test_bootstrap_taus_are_scipys_on_the_same_resamples() -> None:
    """The quantiles k / 19 of 20 resamples are the resamples in order; an interval has a pair of them as its ends."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=12), rng.integers(0, 4, 12).astype(float)
    counts = np.random.default_rng(5).multinomial(12, np.full(12, 1 / 12), size=20)
    theirs = [stats.kendalltau(np.repeat(x, c), np.repeat(y, c)).statistic for c in counts]
    ours = []
    for k in range(10):
        found = kendall(x, y, np.random.default_rng(5), resamples=20, confidence=1 - 2 * k / 19)
        ours += [found.low, found.high]
    assert sorted(ours) == pytest.approx(sorted(theirs))


def test_difference_of_taus_is_scipys_and_its_interval_is_paired() -> None:
    rng = np.random.default_rng(8)
    y = rng.normal(size=40)
    good, near = y + rng.normal(0, 0.5, 40), y + rng.normal(0, 0.5, 40)
    bad = rng.normal(size=40)
    tau = [float(stats.kendalltau(x, y).statistic) for x in (good, bad)]
    found = kendall_difference(good, bad, y, np.random.default_rng(0))
    assert found.value == pytest.approx(tau[0] - tau[1])
    assert found.low > 0
    # The difference from itself is 0 in every resample. Swapped, the interval is mirrored.
    same = kendall_difference(good, good, y, np.random.default_rng(0))
    assert (same.value, same.low, same.high) == (0, 0, 0)
    one, other = (kendall_difference(*xs, y, np.random.default_rng(1)) for xs in ((good, near), (near, good)))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    with pytest.raises(ValueError, match="constant"):
        kendall_difference(good, np.ones(40), y, rng)


def test_kendall_interval_covers() -> None:
    """Normal pairs with correlation 0.7 have tau = 2/pi * asin(0.7) = 0.494."""
    rng = np.random.default_rng(6)
    true = 2 / math.pi * math.asin(0.7)
    hits = 0
    for _ in range(300):
        x = rng.normal(size=48)
        y = 0.7 * x + math.sqrt(1 - 0.49) * rng.normal(size=48)
        estimate = kendall(x, y, rng, resamples=400)
        hits += estimate.low <= true <= estimate.high
    assert 0.90 <= hits / 300 <= 0.99


def test_gain_per_doubling_of_an_exact_law() -> None:
    macs = np.array([100e6, 200e6, 400e6, 800e6])
    estimate = gain_per_doubling(macs, 0.5 * 1.05 ** np.log2(macs / 100e6))
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.05, 0.05, 0.05))


def test_gain_per_doubling_by_scipy() -> None:
    rng = np.random.default_rng(7)
    macs = rng.uniform(300e6, 420e6, 30)
    accuracy = np.exp(0.03 * np.log2(macs / 1e6) - 0.5 + rng.normal(0, 0.01, 30))
    line = stats.linregress(np.log2(macs), np.log(accuracy))
    half = stats.t.ppf(0.975, 28) * line.stderr
    estimate = gain_per_doubling(macs, accuracy)
    assert (estimate.low, estimate.high) == pytest.approx(
        (math.expm1(line.slope - half), math.expm1(line.slope + half))
    )


def test_gain_of_two_networks_has_no_interval() -> None:
    estimate = gain_per_doubling([100, 200], [0.5, 0.55])
    assert estimate.value == pytest.approx(0.1)
    assert (estimate.low, estimate.high) == (-1.0, math.inf)


@pytest.mark.parametrize(
    ("macs", "accuracy", "words"),
    [
        ([1, 1], [0.5, 0.6], "different cost"),
        ([1, 2], [0.0, 0.5], "positive"),
        ([1, 2], [0.5, 0.6, 0.7], "equally many"),
    ],
)
def test_gain_refuses(macs: list[float], accuracy: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        gain_per_doubling(macs, accuracy)

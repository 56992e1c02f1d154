"""Expected values: scipy's paired tests, counted sign patterns, Dunnett's published table, simulated error rates."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studies.statistics.comparisons import compare, compare_pooled, contrasts, sign_flip_p

CLEAR = [0.80, 0.81, 0.79, 0.80, 0.82, 0.78]
LESS = [0.788, 0.797, 0.781, 0.787, 0.806, 0.771]


def test_the_interval_is_scipys_paired_t() -> None:
    expected = stats.ttest_rel(CLEAR, LESS).confidence_interval(0.95)
    difference = compare(CLEAR, LESS).difference
    assert (difference.low, difference.high) == pytest.approx((expected.low, expected.high))
    assert difference.n == 6


def test_the_permutation_p_is_scipys() -> None:
    d = np.array([0.01, -0.004, 0.02, 0.006, 0.011, -0.001, 0.008])
    expected = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip_p(d) == pytest.approx(expected)


@pytest.mark.parametrize(("seeds", "least"), [(2, 0.5), (3, 0.25), (5, 0.0625), (6, 0.03125), (8, 0.0078125)])
def test_what_so_many_seeds_can_reach(seeds: int, least: float) -> None:
    a = [0.9 + 0.001 * i for i in range(seeds)]
    b = [0.8 + 0.0011 * i for i in range(seeds)]
    contrast = compare(a, b)
    assert contrast.smallest_p == least
    assert contrast.p_permutation == (least if least < 0.05 else None)
    assert bool(contrast.warning) == (seeds < 6)
    assert contrast.verdict == "better"


def test_the_warning_names_the_seeds_and_the_smallest_p() -> None:
    warning = compare(CLEAR[:3], LESS[:3]).warning
    assert re.findall(r"[\d.]+\d|\d", warning) == ["3", "0.25", "6"]


def test_sentences_are_in_points() -> None:
    assert compare(CLEAR, LESS).sentence("compound", "depth") == (
        "compound beats depth by 1.2 points [0.9, 1.4] (95 %, 6 seeds, permutation p = 0.031)"
    )
    assert compare(LESS, CLEAR).sentence("depth", "compound") == (
        "depth is worse than compound by 1.2 points [0.9, 1.4] (95 %, 6 seeds, permutation p = 0.031)"
    )


def test_not_significant_is_not_equivalent() -> None:
    noisy = compare([0.80, 0.84, 0.78, 0.81], [0.81, 0.80, 0.82, 0.79])
    assert (noisy.verdict, noisy.equivalent) == ("undecided", False)
    # Differences -1, 4, -4, 2: mean 0.25, standard error sqrt(36.75 / 3 / 4); t(0.975, 3) = 3.182.
    assert noisy.sentence("a", "b") == "undecided: a - b is 0.2 points [-5.3, 5.8] (95 %, 4 seeds)"


def test_equivalence_is_the_90_percent_interval_within_the_margin() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        a, b = rng.normal(0.8, 0.004, 6), rng.normal(0.8, 0.004, 6)
        interval = stats.ttest_rel(a, b).confidence_interval(0.9)
        assert compare(a, b).equivalent == (interval.low > -0.005 and interval.high < 0.005)


def test_a_difference_may_be_sure_and_too_small_to_matter() -> None:
    b = np.array(LESS)
    a = b + 0.001 + 0.0001 * np.array([1, -1, 1, -1, 1, -1])
    contrast = compare(a, b)
    assert (contrast.verdict, contrast.equivalent) == ("better", True)
    assert contrast.sentence("a", "b").endswith("; less than the margin of 0.5 points")


def test_same_values_are_equivalent() -> None:
    assert compare(CLEAR, CLEAR).verdict == "equivalent"


def test_interval_and_permutation_must_agree() -> None:
    # heavy tails: the t interval and the ranks of sign patterns often differ
    rng = np.random.default_rng(0)
    for _ in range(200):
        d = rng.standard_t(2, 6) * 0.01 + 0.008
        contrast = compare(0.8 + d, np.full(6, 0.8))
        if contrast.verdict in ("better", "worse"):
            assert contrast.p_permutation is not None
            assert contrast.p_permutation < 0.05
        if not contrast.agree:
            assert contrast.verdict in ("undecided", "equivalent")


def test_pooling_over_groups_shortens_intervals_of_two_seeds() -> None:
    rng = np.random.default_rng(4)
    groups = {
        name: rng.normal(mean, 0.004, 2).tolist() for name, mean in zip("abcdef", np.linspace(0.7, 0.8, 6), strict=True)
    }
    pooled = compare_pooled(groups, "f", "a")
    alone = compare(groups["f"], groups["a"])
    assert pooled.difference.value == pytest.approx(alone.difference.value)
    # five degrees of freedom instead of one: t is 2.57 instead of 12.7
    assert pooled.difference.high - pooled.difference.low < 0.06
    assert (pooled.difference.n, bool(pooled.warning)) == (2, True)


def test_pooled_intervals_by_hand() -> None:
    # squares 2 + 8 + 0 in 3 degrees of freedom; standard error sqrt(10/3 * (1/2 + 1/2)); t(0.975, 3) = 3.182
    contrast = compare_pooled({"a": [1, 3], "b": [4, 8], "c": [5, 5]}, "b", "a", blocked=False)
    assert contrast.difference.value == 4
    assert contrast.difference.high - 4 == pytest.approx(3.182446 * math.sqrt(10 / 3), rel=1e-6)
    assert contrast.p_permutation is None


def test_simultaneous_intervals_are_dunnetts() -> None:
    # Dunnett 1964, two-sided 5 %: two treatments and a control with 6 values each, 15 degrees of freedom: 2.44
    rng = np.random.default_rng(5)
    groups = {name: rng.normal(0.8, 0.01, 6) for name in ("compound", "depth", "width")}
    both = contrasts(groups, "compound", blocked=False)
    variance = np.mean([np.var(values, ddof=1) for values in groups.values()])
    for contrast in both.values():
        half = contrast.difference.high - contrast.difference.value
        assert half / math.sqrt(variance / 3) == pytest.approx(2.44, abs=0.02)
        assert contrast.comparisons == 2
    assert "for 2 comparisons at once" in both["depth"].sentence("compound", "depth")


def test_permutation_tests_are_corrected_for_their_number() -> None:
    groups = {"a": CLEAR, "b": LESS, "c": [x - 0.02 for x in LESS]}
    # 2 / 2^6 times two comparisons is 0.0625: six seeds are too few for two tests
    assert [c.p_permutation for c in contrasts(groups, "a").values()] == [None, None]
    assert {c.smallest_p for c in contrasts(groups, "a").values()} == {0.0625}


@given(st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_sign_flips_by_brute_force(differences: list[float]) -> None:
    observed = abs(sum(differences)) * (1 - 1e-9)
    patterns = itertools.product([-1, 1], repeat=len(differences))
    sums = [abs(float(np.dot(signs, differences))) for signs in patterns]
    assert sign_flip_p(differences) == pytest.approx(np.mean([s >= observed for s in sums]), abs=2 / 2**8)


def test_drawn_signs_agree_with_the_normal_limit() -> None:
    d = np.random.default_rng(6).normal(0.002, 0.01, 40)
    z = abs(d.sum()) / math.sqrt((d**2).sum())
    assert sign_flip_p(d) == pytest.approx(2 * stats.norm.sf(z), abs=0.01)


def test_error_rates_hold() -> None:
    rng = np.random.default_rng(7)
    seeds = rng.normal(0, 0.01, (400, 1, 6))
    values = 0.8 + seeds + rng.normal(0, 0.004, (400, 2, 6))
    verdicts = [compare(*pair).verdict for pair in values]
    assert sum(v in ("better", "worse") for v in verdicts) <= 30  # 5 % of 400 is 20, and three standard errors
    shifted = [compare(a + 0.005, b).verdict for a, b in values]
    assert sum(v == "equivalent" for v in shifted) <= 30


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([0.8, 0.81], [0.8, 0.81, 0.82], "'first': 2, 'second': 3"),
        ([0.8], [0.81], "--seeds 2"),
        ([0.8, math.nan], [0.8, 0.81], "finite"),
    ],
)
def test_mistakes(first: list[float], second: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(first, second)


def test_unknown_and_lonely_networks() -> None:
    with pytest.raises(ValueError, match="'z'"):
        compare_pooled({"a": CLEAR, "b": LESS}, "a", "z")
    with pytest.raises(ValueError, match="'a'"):
        contrasts({"a": CLEAR}, "a")
    with pytest.raises(ValueError, match="margin"):
        compare(CLEAR, LESS, margin=0)
    with pytest.raises(ValueError, match="confidence"):
        compare(CLEAR, LESS, confidence=1)

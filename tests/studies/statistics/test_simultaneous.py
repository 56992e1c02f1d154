"""Simultaneous intervals: against tabulated and exact quantiles, and their coverage by simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from studies.statistics.best import dunnett_quantile
from studies.statistics.intervals import paired_difference
from studies.statistics.simultaneous import GainOver, gains_over, max_t_quantile

FINALISTS, CONTROLS, RANDOM = ("f0", "f1", "f2"), ("c0", "c1", "c2"), ("r0", "r1", "r2", "r3")
NETWORKS = (*FINALISTS, *CONTROLS, *RANDOM)
AGAINST = (*((name,) for name in CONTROLS), RANDOM)
SIMULATIONS = 4000


def test_one_contrast_has_students_quantile():
    assert max_t_quantile(((1.0, -1.0),), 7, 0.95) == pytest.approx(stats.t.ppf(0.975, 7), rel=0.01)


def test_all_pairs_have_tukeys_quantile():
    pairs = [(i, j) for i in range(4) for j in range(i)]
    weights = tuple(tuple(float((k == i) - (k == j)) for k in range(4)) for i, j in pairs)
    tukey = stats.studentized_range.ppf(0.95, 4, 6) / math.sqrt(2)
    assert max_t_quantile(weights, 6, 0.95) == pytest.approx(tukey, rel=0.01)


def test_many_against_one_have_dunnetts_two_sided_quantile():
    # Dunnett (1964), table II: 3 comparisons, 10 degrees of freedom, joint confidence 95 %.
    weights = tuple((1.0, *(-float(k == j) for k in range(3))) for j in range(3))
    assert max_t_quantile(weights, 10, 0.95) == pytest.approx(2.76, rel=0.01)
    assert max_t_quantile(weights, 10, 0.95) <= 1.01 * dunnett_quantile(0.975, (0.5,) * 3, 10)


def test_two_networks_give_the_paired_interval():
    groups = {"a": [0.80, 0.83, 0.79], "b": [0.78, 0.80, 0.78]}
    (gain,) = gains_over(groups, ["a"], [["b"]])
    expected = paired_difference(groups["a"], groups["b"])
    assert gain.difference.value == pytest.approx(0.02)
    assert (gain.difference.low, gain.difference.high) == pytest.approx((expected.low, expected.high), rel=0.02)
    assert gain.difference.n == 3


def test_a_group_counts_by_its_mean():
    groups = {"a": [0.9, 0.7], "b": [0.5, 0.3], "c": [0.7, 0.5]}
    (gain,) = gains_over(groups, ["a"], [["b", "c"]])
    # 0.8 - (0.4 + 0.6) / 2; seeds have the same effect on all, so nothing is left of the variance.
    assert gain.difference.value == pytest.approx(0.3)
    assert gain.difference.high - gain.difference.low == pytest.approx(0, abs=1e-12)
    assert gain.is_significant


def test_one_block_gives_no_interval():
    (gain,) = gains_over({"a": [0.9], "b": [0.5]}, ["a"], [["b"]])
    assert gain.difference.value == pytest.approx(0.4)
    assert gain.difference.low == -math.inf
    assert not gain.is_significant


def test_a_network_gains_nothing_over_itself_and_half_over_itself_and_another():
    groups = {"a": [0.9, 0.8, 0.8], "b": [0.5, 0.4, 0.6]}
    itself, half, whole = gains_over(groups, ["a"], [["a"], ["a", "b"], ["b"]])
    assert (itself.difference.value, itself.difference.low, itself.difference.high) == (0, 0, 0)
    for end in ("value", "low", "high"):
        assert getattr(half.difference, end) == pytest.approx(getattr(whole.difference, end) / 2)


def test_more_candidates_widen_the_intervals():
    rng = np.random.default_rng(0)
    groups = {name: rng.normal(size=3).tolist() for name in NETWORKS}
    few, many = (gains_over(groups, FINALISTS[:count], AGAINST)[0].difference for count in (1, 3))
    assert many.value == few.value
    assert many.high - many.low > 1.05 * (few.high - few.low)


@pytest.mark.parametrize(
    ("groups", "candidates", "against"),
    [
        ({"a": [1.0], "b": [1.0, 2.0]}, ["a"], [["b"]]),
        ({"a": [], "b": []}, ["a"], [["b"]]),
        ({"a": [1.0], "b": [1.0]}, ["a"], [["c"]]),
        ({"a": [1.0], "b": [1.0]}, ["a"], [[]]),
    ],
)
def test_what_cannot_be_compared_is_refused(groups: Any, candidates: Any, against: Any):
    with pytest.raises(ValueError, match="gain"):
        gains_over(groups, candidates, against)


def selected(values: np.ndarray) -> list[GainOver]:
    """The gains of the finalist with the highest mean; `values` are [networks, seeds]."""
    groups = dict(zip(NETWORKS, values.tolist(), strict=True))
    winner = max(FINALISTS, key=lambda name: float(np.mean(groups[name])))
    return [gain for gain in gains_over(groups, FINALISTS, AGAINST) if gain.candidate == winner]


@pytest.mark.parametrize("seeds", [2, 3])
def test_the_selected_winner_of_equal_networks_seldom_differs(seeds: int):
    rng = np.random.default_rng(1)
    # The seeds' common effects are ten times the errors.
    wrong = 0
    for _ in range(SIMULATIONS):
        values = rng.normal(size=(len(NETWORKS), seeds)) + 10 * rng.normal(size=seeds)
        wrong += any(gain.is_significant for gain in selected(values))
    # 5 % allowed for all finalists together; three standard errors of a share of 5 % are 1 %.
    assert wrong / SIMULATIONS <= 0.06
    # Not so conservative that it never finds anything.
    assert wrong / SIMULATIONS >= 0.01


def test_the_gains_of_a_selected_winner_are_covered():
    rng = np.random.default_rng(2)
    truth = dict(zip(NETWORKS, rng.normal(size=len(NETWORKS)).tolist(), strict=True))
    missed = 0
    for _ in range(SIMULATIONS):
        values = rng.normal(size=(len(NETWORKS), 3)) + np.array(list(truth.values()))[:, None]
        for gain in selected(values):
            true = truth[gain.candidate] - float(np.mean([truth[name] for name in gain.against]))
            if not gain.difference.low <= true <= gain.difference.high:
                missed += 1
                break
    assert missed / SIMULATIONS <= 0.06

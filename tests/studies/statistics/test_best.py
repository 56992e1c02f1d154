"""Expected values: Dunnett's published table, Student's t, hand arithmetic and simulated coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from studies.statistics.best import best_set, dunnett_quantile


@pytest.mark.parametrize(
    ("comparisons", "freedom", "published"),
    # Dunnett (1955), table 1a: one-sided, joint confidence 95 %
    [
        (1, 5, 2.02),
        (2, 5, 2.44),
        (3, 5, 2.68),
        (4, 5, 2.85),
        (2, 10, 2.15),
        (3, 10, 2.34),
        (5, 10, 2.56),
        (4, 20, 2.30),
    ],
)
def test_dunnett_quantiles_are_the_published_ones(comparisons: int, freedom: int, published: float) -> None:
    assert dunnett_quantile(0.95, (0.5,) * comparisons, freedom) == pytest.approx(published, abs=0.006)


def test_dunnett_quantile_of_one_comparison_is_students() -> None:
    for freedom in (1, 2, 3, 8, 30):
        expected = stats.t.ppf(0.95, freedom)
        assert dunnett_quantile(0.95, (0.3,), freedom) == pytest.approx(expected, rel=1e-3)


def test_dunnett_quantile_for_unequal_sizes_by_simulation() -> None:
    sizes, first, freedom = np.array([2, 5, 9]), 3, 12
    rng = np.random.default_rng(8)
    means = rng.normal(size=(200_000, 3)) / np.sqrt(sizes)
    control = rng.normal(size=(200_000, 1)) / math.sqrt(first)
    scale = np.sqrt(rng.chisquare(freedom, (200_000, 1)) / freedom)
    t = ((means - control) / np.sqrt(1 / sizes + 1 / first) / scale).max(1)
    ratios = tuple(float(n / (n + first)) for n in sizes)
    assert dunnett_quantile(0.95, ratios, freedom) == pytest.approx(float(np.quantile(t, 0.95)), abs=0.02)


def test_best_set_by_hand() -> None:
    # pooled variance 1 with 6 degrees of freedom, standard error of a difference sqrt(2/3) = 0.816,
    # critical value 2.34 (Dunnett: 2 comparisons, 6 df): whoever is more than 1.91 behind is out
    groups = {"worst": [6.9, 7.9, 8.9], "best": [9.0, 10.0, 11.0], "close": [7.2, 8.2, 9.2]}
    leads = best_set(groups)
    assert list(leads) == ["best", "close"]
    assert leads["best"] == pytest.approx(1.8 + 2.34 * math.sqrt(2 / 3), abs=0.01)


def test_single_values_exclude_nobody() -> None:
    assert list(best_set({"a": [1.0], "b": [100.0]})) == ["b", "a"]


@pytest.mark.parametrize("blocked", [True, False])
def test_the_best_set_is_never_empty(blocked: bool) -> None:
    """Values without any spread: equals stay, worse ones go."""
    groups = {"a": [0.5, 0.5], "b": [0.5, 0.5], "c": [0.4, 0.4]}
    assert best_set(groups, blocked=blocked) == {"a": 0.0, "b": 0.0}


def test_one_candidate_is_the_best() -> None:
    assert list(best_set({"a": [1.0, 2.0]})) == ["a"]


def test_blocks_tell_apart_what_unpaired_values_cannot() -> None:
    seeds = np.array([0.0, 10.0, 20.0])
    groups = {
        "a": (seeds + np.array([0.1, 0.0, -0.1])).tolist(),
        "b": (seeds - 2 + np.array([0.0, 0.1, 0.05])).tolist(),
    }
    assert len(best_set(groups)) == 2
    assert list(best_set(groups, blocked=True)) == ["a"]


@pytest.mark.parametrize("blocked", [False, True])
def test_the_best_is_in_the_set_as_often_as_promised(blocked: bool) -> None:
    rng = np.random.default_rng(9)
    hits = 0
    for _ in range(1500):
        shared = rng.normal(0, 3, 4) if blocked else np.zeros(4)
        # The worst case: all equal but one that is a hair better.
        groups = {str(i): (rng.normal(0, 1, 4) + shared + 1e-9 * (i == 0)).tolist() for i in range(5)}
        hits += "0" in best_set(groups, blocked=blocked)
    assert hits / 1500 == pytest.approx(0.95, abs=0.02)


def test_best_set_refuses_nothing_and_uneven_blocks() -> None:
    with pytest.raises(ValueError, match="candidate"):
        best_set({})
    with pytest.raises(ValueError, match="blocked"):
        best_set({"a": [1.0, 2.0], "b": [1.0]}, blocked=True)

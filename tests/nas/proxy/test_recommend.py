"""How proxies compare with the reference, and the rule that chooses one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nas.proxy.compare import ProxyRow, Scored, compare, self_agreement
from nas.proxy.recommend import recommend
from studies.statistics.intervals import Estimate


def scores(values: Any) -> dict[str, float]:
    return {f"n{index:02}": float(value) for index, value in enumerate(values)}


def test_comparison_is_scipys_tau_over_what_both_have() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=20)
    noisy = truth + rng.normal(0, 0.5, 20)
    macs = Scored("MACs", "cost", scores(rng.normal(size=20)))
    reference = {key: value for key, value in scores(truth).items() if key != "n03"}
    cost, row = compare([macs, Scored("p", "proxy", scores(noisy), seconds=2.0)], reference)
    keep = np.arange(20) != 3
    expected = float(stats.kendalltau(noisy[keep], truth[keep]).statistic)
    by_cost = float(stats.kendalltau(np.array(list(macs.scores.values()))[keep], truth[keep]).statistic)
    assert row.networks == 19
    assert row.tau is not None
    assert row.tau.value == pytest.approx(expected)
    assert row.per_second == pytest.approx(expected / 2)
    assert row.gain["MACs"].value == pytest.approx(expected - by_cost)
    assert cost.gain == {}
    assert row.behind is not None
    assert (row.behind.value, row.behind.high) == (0, 0)
    assert cost.behind is not None
    assert cost.behind.value == pytest.approx(expected - by_cost)


def test_too_few_networks_or_equal_scores_have_no_tau() -> None:
    seven = compare([Scored("p", "proxy", scores(range(7)))], scores(range(20)))
    equal = compare([Scored("p", "proxy", scores([1] * 20))], scores(range(20)))
    assert [row.tau for row in (*seven, *equal)] == [None, None]
    assert [row.networks for row in (*seven, *equal)] == [7, 20]
    assert recommend([*seven, *equal]).best is None


def test_the_reference_agrees_with_itself_as_its_seeds_do() -> None:
    rng = np.random.default_rng(1)
    first, second, third = rng.normal(size=(3, 12))
    found = self_agreement(scores(first), [scores(second), scores(third)])
    assert found is not None
    assert found.value == pytest.approx(stats.kendalltau(first, (second + third) / 2).statistic)
    assert self_agreement(scores(first), []) is None


def row(name: str, tau: float, seconds: float, *, low: float = 0.1, gain: float = 0.1, behind: float = 0.0) -> ProxyRow:
    """A proxy's row; `low`, `gain` and `behind` are lower ends of intervals."""
    return ProxyRow(
        Scored(name, "proxy", {}, seconds),
        20,
        Estimate(tau, low, 1.0, 20),
        gain={"MACs": Estimate(0.3, gain, 1.0, 20), "params": Estimate(0.3, 0.2, 1.0, 20)},
        behind=Estimate(0.1, behind, 1.0, 20),
    )


@pytest.mark.parametrize(
    ("cheaper", "chosen"),
    [
        ({}, "cheap"),
        ({"low": -0.01}, "best"),  # may not rank at all
        ({"gain": -0.01}, "best"),  # may rank no better than multiply-adds
        ({"behind": 0.01}, "best"),  # ranks worse than the best
    ],
)
def test_the_cheapest_that_passes_is_chosen(cheaper: dict[str, float], chosen: str) -> None:
    rows = [row("cheap", 0.5, 1.0, **cheaper), row("best", 0.6, 4.0), row("dear", 0.55, 9.0)]
    found = recommend(rows)
    assert found.chosen is not None
    assert found.best is not None
    assert (found.chosen.scored.name, found.best.scored.name) == (chosen, "best")


def test_of_equally_cheap_ones_the_better_is_chosen() -> None:
    found = recommend([row("a", 0.5, 1.0), row("b", 0.6, 1.0)])
    assert found.chosen is not None
    assert found.chosen.scored.name == "b"


def test_none_is_chosen_where_none_can_be_trusted() -> None:
    found = recommend([row("a", 0.5, 1.0, low=0.0), row("b", 0.6, 1.0, gain=0.0)])
    assert (found.chosen, found.trusted, found.equals) == (None, (), ("a", "b"))


def test_zero_cost_proxies_are_never_chosen() -> None:
    free = ProxyRow(Scored("synflow", "zero-cost", {}, 0.1), 20, Estimate(0.9, 0.8, 1.0, 20))
    assert recommend([free]).chosen is None


@given(st.lists(st.tuples(st.floats(-0.2, 0.9), st.floats(0.1, 9.0), st.booleans(), st.booleans()), max_size=8))
def test_no_cheaper_one_would_have_done(several: list[tuple[float, float, bool, bool]]) -> None:
    rows = [
        row(str(index), tau, seconds, low=0.1 if trusted else -0.1, behind=0.0 if equal else 0.1)
        for index, (tau, seconds, trusted, equal) in enumerate(several)
    ]
    chosen = recommend(rows).chosen
    prices = [seconds for _, seconds, trusted, equal in several if trusted and equal]
    assert (chosen.scored.seconds if chosen else None) == (min(prices) if prices else None)

"""Strategies: shares of the growth in cost, by name or exponents, and the papers' figures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces.resizing.compound import PAPER, Coefficients, Multipliers
from search_spaces.resizing.registry import STRATEGIES, get_strategy
from search_spaces.resizing.strategy import DEPTH, RESOLUTION, SINGLE, WIDTH, Strategy

OWN = "outside_scaling:deep"
SHARES = st.floats(0, 10)


def test_single_strategies_grow_one_dimension() -> None:
    assert DEPTH.multipliers(4) == Multipliers(4, 1, 1)
    assert WIDTH.multipliers(4) == Multipliers(1, 2, 1)
    assert RESOLUTION.multipliers(4) == Multipliers(1, 1, 2)
    assert set(SINGLE) < set(STRATEGIES)


@given(SHARES, SHARES, SHARES, st.floats(0.1, 100))
def test_every_strategy_spends_the_multiple(depth: float, width: float, resolution: float, multiple: float) -> None:
    assume(depth + width + resolution > 1e-3)
    grown = Strategy("any", depth, width, resolution).multipliers(multiple)
    assert grown.nominal_cost == pytest.approx(multiple)


def test_compound_goes_the_paper_s_way() -> None:
    # At the cost that phi = 1 has in the paper, the strategy's multipliers are the paper's coefficients.
    grown = get_strategy("compound").multipliers(1.2 * 1.1**2 * 1.15**2)
    assert (grown.depth, grown.width, grown.resolution) == pytest.approx((1.2, 1.1, 1.15))


def test_coefficients_of_a_strategy_double_the_cost_exactly() -> None:
    assert Strategy.of(PAPER).coefficients().product == pytest.approx(2)
    even = get_strategy("1:1:1").coefficients()
    assert (even.alpha, even.beta, even.gamma) == pytest.approx((2 ** (1 / 3), 2 ** (1 / 6), 2 ** (1 / 6)))


@given(st.floats(1.01, 2), st.floats(1.01, 2), st.floats(1.01, 2))
def test_coefficients_give_a_strategy_of_the_same_direction(alpha: float, beta: float, gamma: float) -> None:
    coefficients = Coefficients(alpha, beta, gamma)
    grown = Strategy.of(coefficients).multipliers(coefficients.product)
    assert (grown.depth, grown.width, grown.resolution) == pytest.approx((alpha, beta, gamma))


def test_fast_widens_most() -> None:
    # "Fast and Accurate Model Scaling": d = s^0.1, w = s^0.4, r = s^0.05.
    grown = get_strategy("fast").multipliers(16)
    assert (grown.depth, grown.width, grown.resolution) == pytest.approx((16**0.1, 16**0.4, 16**0.05))


def test_exponents_are_shares_on_any_scale() -> None:
    one, other = get_strategy("1:2:1"), get_strategy("0.25:0.5:0.25")
    assert (one.depth, one.width, one.resolution) == (0.25, 0.5, 0.25)
    assert one.multipliers(3) == other.multipliers(3)
    assert one.name == "1:2:1"


@pytest.mark.parametrize("name", [*STRATEGIES, OWN])
def test_names(name: str) -> None:
    strategy = get_strategy(name)
    assert strategy.name == name
    assert strategy.multipliers(4).nominal_cost == pytest.approx(4)
    assert STRATEGIES.row(name).label


def test_looks_are_different() -> None:
    rows = STRATEGIES.values()
    assert len({row.color for row in rows}) == len({row.marker for row in rows}) == len({row.label for row in rows})
    assert len({row.color for row in rows}) == len(STRATEGIES)


def test_a_users_strategy_may_be_made_by_a_function_or_named_by_a_row(outside: Path) -> None:
    (outside / "outside_growth.py").write_text(
        "from search_spaces.resizing.registry import ScalingStrategy\n"
        "from search_spaces.resizing.strategy import Strategy\n"
        "def flat(): return Strategy('flat', 1, 1, 0)\n"
        "FLAT = ScalingStrategy(name='flat', code='outside_growth:flat', label='no resolution', source='ours')\n"
        "NUMBER = 3\n"
        "def number(): return 3\n"
        "def broken(): raise RuntimeError('two\\nlines')\n"
    )
    for name in ("outside_growth:flat", "outside_growth:FLAT"):
        assert get_strategy(name) == Strategy(name, 1, 1, 0)
    assert STRATEGIES.row("outside_growth:FLAT").label == "no resolution"
    for name in ("NUMBER", "number", "broken", "flatt"):
        with pytest.raises(ValueError, match=f"scaling strategy outside_growth:{name}") as error:
            get_strategy(f"outside_growth:{name}")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dept", "'dept'.*'depth'.*d:w:r"),
        ("compund", "'compund'.*'compound'"),
        ("1:2", "'1:2'"),
        ("1:2:x", "'1:2:x'"),
        ("0:0:0", "exponents.*0:0:0"),
        ("-1:1:1", "exponents.*-1:1:1"),
        ("1:-1:0", "exponents.*1:-1:0"),
        ("nan:1:1", "exponents.*nan:1:1"),
        ("inf:1:1", "exponents.*inf:1:1"),
    ],
)
def test_what_is_no_strategy(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        get_strategy(text)


@pytest.mark.parametrize("multiple", [0.0, -2.0, math.nan, math.inf])
def test_a_multiple_is_positive(multiple: float) -> None:
    with pytest.raises(ValueError, match=f"{multiple:g}"):
        DEPTH.multipliers(multiple)


def test_coefficients_that_grow_nothing_are_no_strategy() -> None:
    with pytest.raises(ValueError, match="1/1/1"):
        Strategy.of(Coefficients(1, 1, 1))

"""Non-uniform scaling: layers by weights, a cap on the resolution, and the published networks it should come near."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import search_spaces as ss
from search_spaces.common.units import format_count
from search_spaces.resizing.compound import PAPER, Coefficients, scale
from search_spaces.resizing.depths import EVEN, LATE, asked_layers, deepen, stage_weights
from search_spaces.resizing.matching import TOLERANCE, solve
from search_spaces.resizing.registry import get_strategy
from search_spaces.resizing.shapes import layers_of
from search_spaces.resizing.stages import scale_depth
from search_spaces.resizing.strategy import CAP, Strategy, non_uniform

S = ss.get("efficientnetv2_s")
LAYERS = st.lists(st.integers(1, 9), min_size=1, max_size=8)
WEIGHTS = st.lists(st.floats(0, 4), min_size=1, max_size=8).filter(lambda weights: max(weights) > 0.01)


def test_weights_are_spread_over_the_stages() -> None:
    assert stage_weights((1, 2, 3), 3) == (1, 2, 3)
    assert stage_weights(EVEN, 4) == (1, 1, 1, 1)
    # EfficientNetV2's "stage 5 and 6" of six.
    assert stage_weights(LATE, 6) == (0.5, 0.5, 0.5, 0.5, 1, 1)
    assert stage_weights(LATE, 2) == (0.5, 1)


def test_extra_layers_by_hand() -> None:
    # 40 layers times 1.4 are 16 more: 16 layers of weight 1/2 and 24 of weight 1 weigh 32, so the rate is 1/2.
    assert asked_layers(layers_of(S), 1.4, LATE) == [2.5, 5, 5, 7.5, 13.5, 22.5]
    assert layers_of(deepen(S, 1.4, LATE)) == (3, 5, 5, 8, 14, 23)
    assert asked_layers((2, 3), 2, (0, 1)) == [2, 8]


@given(LAYERS, st.floats(1, 8), WEIGHTS)
def test_the_sum_grows_by_the_factor(layers: list[int], factor: float, weights: list[float]) -> None:
    assume(len(weights) <= len(layers))
    asked = asked_layers(layers, factor, weights)
    assert sum(asked) == pytest.approx(factor * sum(layers))
    assert all(now >= before - 1e-9 for now, before in zip(asked, layers, strict=True))


@given(LAYERS, st.floats(0.1, 1), WEIGHTS)
def test_shrinking_is_even(layers: list[int], factor: float, weights: list[float]) -> None:
    assume(len(weights) <= len(layers))
    assert asked_layers(layers, factor, weights) == pytest.approx([count * factor for count in layers])


@pytest.mark.parametrize("factor", [0.5, 1, 1.1, 1.8, 3.1])
@pytest.mark.parametrize("weights", [EVEN, (2.0, 2.0)])
def test_equal_weights_are_compound_scaling(factor: float, weights: tuple[float, ...]) -> None:
    b0 = ss.get("efficientnet_b0")
    assert deepen(b0, factor, weights) == scale_depth(b0, factor)


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1.0, -1.0), (math.nan,)])
def test_bad_weights(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="depth weights"):
        scale(S, depth=2, depth_weights=weights)
    with pytest.raises(ValueError, match="depth weights"):
        Strategy("bad", 1, 1, 1, depth_weights=weights)


def test_a_cap_holds_the_resolution() -> None:
    assert scale(S, resolution=1.5).resolution == 576
    assert scale(S, resolution=1.5, cap=480).resolution == 480
    assert scale(S, resolution=1.1, cap=480).resolution == 422
    # A baseline above the cap stays as it is.
    assert scale(S, resolution=1.1, cap=224).resolution == 384
    with pytest.raises(ValueError, match="cap.*-1"):
        Strategy("bad", 1, 1, 1, cap=-1)


@given(st.floats(1, 64), st.integers(16, 700), st.integers(16, 700))
def test_what_the_cap_takes_goes_to_depth_and_width(multiple: float, side: int, cap: int) -> None:
    strategy, plain = non_uniform(PAPER, cap=cap), Strategy.of(PAPER)
    grown, free = strategy.multipliers(multiple, side), plain.multipliers(multiple)
    assert grown.nominal_cost == pytest.approx(multiple)
    assert side * grown.resolution <= max(cap, side) * (1 + 1e-9)
    if side * free.resolution <= cap:
        assert grown == free
    # Their proportion is compound scaling's, as exponents.
    elif multiple > 1.01:
        assert math.log(grown.depth) / math.log(grown.width) == pytest.approx(math.log(1.2) / math.log(1.1))


@pytest.mark.parametrize("name", ["efficientnetv2_s", "efficientnet_b0", "efficientnetv2_m", "mobilenet_v2"])
@pytest.mark.parametrize("multiple", [2, 6, 16])
def test_solve_reaches_the_target_under_the_cap(name: str, multiple: int) -> None:
    arch = ss.get(name)
    found = solve(arch, get_strategy("v2"), multiple * ss.cost(arch).macs)
    assert abs(found.miss) <= TOLERANCE
    assert found.arch.resolution <= max(CAP, arch.resolution)
    if arch.resolution * Strategy.of(PAPER).multipliers(multiple).resolution > CAP + 20:
        assert found.arch.resolution == max(CAP, arch.resolution)


def test_resolution_alone_cannot_pass_a_cap() -> None:
    strategy = non_uniform(Coefficients(1, 1, 1.4), cap=480)
    assert solve(S, strategy, round(1.5 * ss.cost(S).macs)).arch.resolution > 384
    with pytest.raises(ValueError, match=format_count(3 * ss.cost(S).macs)):
        solve(S, strategy, 3 * ss.cost(S).macs)


def test_v2_by_name_and_with_its_own_cap() -> None:
    v2, own = get_strategy("v2"), get_strategy("v2:40")
    assert (v2.cap, v2.depth_weights, own.cap, own.name) == (480, LATE, 40, "v2:40")
    assert v2.multipliers(2) == get_strategy("compound").multipliers(2)
    for text in ("v2:0", "v2:x", "v2:40:1", "v2:"):
        with pytest.raises(ValueError, match=f"'{text}'"):
            get_strategy(text)


@pytest.mark.parametrize(("name", "layers"), [("efficientnetv2_m", 57), ("efficientnetv2_l", 79)])
def test_it_comes_near_the_published_m_and_l(name: str, layers: int) -> None:
    published = ss.get(name)
    target = ss.cost(published).macs
    found, even = (solve(S, get_strategy(way), target).arch for way in ("v2", "compound"))
    assert sum(layers_of(published)) == layers
    assert found.resolution == published.resolution == CAP
    assert sum(layers_of(found)) == pytest.approx(layers, rel=0.06)
    # Compound scaling is further away: in layers, and in parameters because late stages hold most of them.
    assert abs(sum(layers_of(even)) - layers) >= abs(sum(layers_of(found)) - layers)
    wanted = ss.cost(published).params
    assert abs(ss.cost(even).params - wanted) > abs(ss.cost(found).params - wanted)

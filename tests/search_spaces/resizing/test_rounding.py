"""Ways of rounding sizes: dealing out layers, widths near the ideal, resolutions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import search_spaces as ss
from search_spaces.resizing.compound import Multipliers
from search_spaces.resizing.registry import STRATEGIES, get_strategy
from search_spaces.resizing.rounding import Rounding, around, nearest, share_out
from search_spaces.resizing.shapes import channels_of, layers_of
from search_spaces.resizing.strategy import DEPTH, RESOLUTION, WIDTH

OWN = "outside_scaling:deep"
B0 = ss.get("efficientnet_b0")
LAYERS = st.lists(st.integers(1, 6), min_size=1, max_size=8)


def test_layers_are_dealt_out_by_largest_remainder() -> None:
    # B0's layers times 1.2: 1.2 2.4 2.4 3.6 3.6 4.8 1.2, together 19.2; their whole parts leave 3 for .8, .6 and .6.
    assert share_out(layers_of(B0), 1.2) == (1, 2, 2, 4, 4, 5, 1)
    assert share_out(layers_of(B0), 1.2, extra=1) == (1, 3, 2, 4, 4, 5, 1)
    assert share_out(layers_of(B0), 1.2, extra=-1) == (1, 2, 2, 4, 3, 5, 1)


@given(LAYERS, st.floats(1, 8), st.integers(-2, 2))
def test_growing_deals_out_the_rounded_sum(layers: list[int], factor: float, extra: int) -> None:
    dealt = share_out(layers, factor, extra)
    asked = [round(count * factor, 9) for count in layers]
    # No stage goes below its whole part.
    assert sum(dealt) == max(sum(layers), sum(map(math.floor, asked)), round(sum(asked)) + extra)
    if extra == 0:
        assert all(abs(now - count * factor) <= 1 + 1e-6 for now, count in zip(dealt, layers, strict=True))


@given(LAYERS, st.floats(0.01, 1))
def test_every_stage_keeps_a_layer(layers: list[int], factor: float) -> None:
    assert min(share_out(layers, factor)) >= 1


def test_nearest_leaves_alone_what_does_not_grow() -> None:
    odd = B0.replace(stem=33, resolution=225)
    assert nearest(odd, Multipliers(), Rounding()).arch(0) == odd
    deeper = nearest(odd, Multipliers(depth=2), Rounding()).arch(0)
    assert (deeper.stem, deeper.resolution, layers_of(deeper)) == (33, 225, tuple(2 * n for n in layers_of(B0)))


@given(st.floats(1, 4), st.floats(1, 4), st.floats(1, 4))
def test_nearest_rounds_each_size_to_its_grid(depth: float, width: float, side: float) -> None:
    arch = nearest(B0, Multipliers(depth, width, side), Rounding(8, 2)).arch(0)
    for now, before in zip(channels_of(arch), channels_of(B0), strict=True):
        assert now % 8 == 0
        assert now >= max(before, 0.9 * before * width)
        assert now < before * width + 8
    assert abs(arch.resolution - 224 * side) <= 1


def test_widths_go_as_far_down_as_the_rounding_allows() -> None:
    # 11 of 8 channels are nearer to 8, which is 73 % of them; B0 has 16 in stage 1.
    small, asked = B0.replace(stem=8), Multipliers(width=1.375)
    assert [nearest(small, asked, Rounding(min_ratio=least)).arch(0).stem for least in (0.9, 0.7, 0.0)] == [16, 8, 8]
    options = [around(small, WIDTH, asked, Rounding(min_ratio=least), 1).channels for least in (0.9, 0.0)]
    stems = [set(channels[:, 0].tolist()) for channels in options]
    assert 8 in stems[1]
    assert 8 not in stems[0]


@pytest.mark.parametrize("name", [*STRATEGIES, OWN])
def test_around_varies_only_what_the_strategy_grows(name: str) -> None:
    strategy = get_strategy(name)
    options = around(B0, strategy, strategy.multipliers(2.3), Rounding(), 1)
    assert len(options) > 1
    assert strategy.depth or (options.layers == layers_of(B0)).all()
    assert strategy.width or (options.channels == channels_of(B0)).all()
    assert strategy.resolution or (options.resolution == 224).all()
    assert (options.layers >= layers_of(B0)).all()
    assert (options.channels >= channels_of(B0)).all()
    assert (options.resolution >= 224).all()


def test_depth_alone_tries_every_rounding_of_every_stage() -> None:
    options = around(B0, DEPTH, Multipliers(depth=1.5), Rounding(), 1)
    # 1.5 3 3 4.5 4.5 6 1.5: four stages go either way.
    assert sorted(map(tuple, options.layers.tolist())) == sorted(
        (a, 3, 3, b, c, 6, d) for a in (1, 2) for b in (4, 5) for c in (4, 5) for d in (1, 2)
    )


def test_resolutions_near_the_ideal_lie_on_the_grid_above_the_stride() -> None:
    strategy = RESOLUTION
    options = around(B0, strategy, Multipliers(resolution=1.5), Rounding(step=2), 1)
    assert options.resolution.tolist() == [332, 334, 336, 338, 340]
    small = around(B0.replace(resolution=33), strategy, Multipliers(resolution=0.98), Rounding(step=2), 1)
    assert np.all(small.resolution >= 32)


@pytest.mark.parametrize(("field", "value"), [("divisor", 0), ("divisor", -8), ("step", 0)])
def test_rounding_is_to_at_least_one(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"--rounding.{field} .*1.*{value}"):
        Rounding(**{field: value})

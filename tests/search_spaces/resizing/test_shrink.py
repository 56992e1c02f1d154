"""Scaling and shrinking, against torchvision's rounding, published stages and hand arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models._utils import _make_divisible

from search_spaces.networks.arch import Arch
from search_spaces.networks.layers import structure
from search_spaces.resizing.shrink import drop_strides, shrink
from search_spaces.resizing.stages import round_channels, scale_depth, scale_width
from search_spaces.zoo.registry import get, names


@given(st.floats(0.1, 5000), st.sampled_from((1, 4, 8, 16)))
def test_channels_round_as_torchvision_rounds(channels: float, divisor: int) -> None:
    assert round_channels(channels, divisor) == _make_divisible(channels, divisor)


@pytest.mark.parametrize(
    ("channels", "rounded"), [(1, 8), (11, 16), (11.5, 16), (12, 16), (16, 16), (17.6, 16), (20, 24)]
)
def test_channels_stay_above_90_percent(channels: float, rounded: int) -> None:
    assert round_channels(channels) == rounded


@given(st.from_type(Arch))
def test_factor_one_changes_nothing(arch: Arch) -> None:
    assert scale_width(arch, 1.0) == arch
    assert scale_depth(arch, 1.0) == arch


def test_a_network_without_head_gets_none() -> None:
    wide = scale_width(get("resnet50"), 2)
    assert wide.widths == (128, 512, 1024, 2048, 4096)
    assert wide.head == 0


# 11 is nearest to 8, which is 73 %: the rule of EfficientNet V1 makes it 16, that of V2's base networks leaves it.
def test_the_least_share_of_a_width_may_be_another() -> None:
    assert (round_channels(11), round_channels(11, min_ratio=0.0)) == (16, 8)
    v2 = get("efficientnetv2_b0")
    assert scale_width(v2, 1.2).stages[0].channels == 24
    assert scale_width(v2, 1.2, min_ratio=0.0).stages[0].channels == 16


def test_the_stem_s_pooling_is_dropped_behind_its_stride() -> None:
    small = drop_strides(get("resnet50").replace(resolution=64), 4)
    assert (small.stem_stride, small.stem_pool, [stage.stride for stage in small.stages]) == (1, 2, [1, 2, 2, 2])
    smaller = drop_strides(get("resnet50").replace(resolution=32), 4)
    assert (smaller.stem_stride, smaller.stem_pool, [stage.stride for stage in smaller.stages]) == (1, 1, [1, 2, 2, 2])


def test_width_scales_stem_stages_and_head() -> None:
    wide = scale_width(get("efficientnet_b0"), 1.4)  # B4's stages
    assert [stage.channels for stage in wide.stages] == [24, 32, 56, 112, 160, 272, 448]
    assert (wide.stem, wide.head) == (48, 1792)


def test_layers_round_up_but_not_for_a_rounding_error() -> None:
    assert [stage.layers for stage in scale_depth(get("efficientnet_b0"), 1.8).stages] == [2, 4, 4, 6, 6, 8, 2]
    b0 = get("efficientnet_b0")
    hundred = b0.replace(stages=tuple(scale_depth(b0, 100).stages[:1]))
    assert math.ceil(100 * 1.1) == 111  # 100 * 1.1 = 110.00000000000001
    assert scale_depth(hundred, 1.1).stages[0].layers == 110


def test_a_shallower_network_keeps_a_layer_in_every_stage() -> None:
    assert [stage.layers for stage in scale_depth(get("efficientnet_b0"), 0.1).stages] == [1] * 7


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("scale", [scale_width, scale_depth])
def test_factors_are_positive(scale: object, factor: float) -> None:
    with pytest.raises(ValueError, match=str(factor)):
        scale(get("efficientnet_b0"), factor)  # type: ignore[operator]


@given(st.from_type(Arch), st.integers(4, 64), st.sampled_from((0.25, 0.5, 1.0)))
def test_a_proxy_ends_in_maps_of_at_least_four_pixels(arch: Arch, resolution: int, width: float) -> None:
    proxy = shrink(arch, width=width, resolution=resolution)
    assert proxy.resolution == resolution
    assert structure(proxy)[0][-1].out_size >= 4


def strides(arch: Arch) -> list[int]:
    return [arch.stem_stride, arch.stem_pool, *(stage.stride for stage in arch.stages)]


@given(st.from_type(Arch), st.integers(4, 64))
def test_only_strides_change_and_only_early_ones(arch: Arch, resolution: int) -> None:
    before = strides(arch)
    dropped = drop_strides(arch.replace(resolution=resolution), 4)
    after = strides(dropped)
    first_kept = next((i for i, stride in enumerate(after) if stride != 1), len(after))
    assert after[first_kept:] == before[first_kept:]
    assert dropped.key == arch.replace(resolution=resolution).key or after != before


@pytest.mark.parametrize("name", [name for name in names() if get(name).resolution >= 224])
def test_published_proxies_at_32_pixels_drop_two_downsamplings(name: str) -> None:
    proxy = shrink(get(name), width=0.25, resolution=32)
    assert proxy.total_stride == 8
    assert proxy.stem_stride == 1
    assert proxy.name == f"{name} proxy"


def test_a_proxy_at_the_full_resolution_and_width_is_the_network() -> None:
    b0 = get("efficientnet_b0")
    assert shrink(b0, resolution=224).key == b0.key


def test_images_below_the_smallest_map_are_refused() -> None:
    with pytest.raises(ValueError, match="4 px.*3"):
        shrink(get("efficientnet_b0"), resolution=3)

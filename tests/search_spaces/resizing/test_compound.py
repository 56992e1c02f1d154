"""The scaling rule against the published family, its own arithmetic in the paper, and hand-rounded sizes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import search_spaces as ss
from search_spaces.resizing.compound import (
    PAPER,
    Coefficients,
    Growth,
    Multipliers,
    at_resolution,
    realised,
    round_resolution,
    scale,
)
from search_spaces.zoo.efficientnet import PUBLISHED

B0 = ss.get("efficientnet_b0")
ABOVE_ONE = st.floats(1, 2)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - {"efficientnet_b0"}))
def test_b0_by_published_multipliers_is_the_published_network(name: str) -> None:
    row = PUBLISHED[name]
    grown = scale(B0, depth=row.depth, width=row.width, resolution=row.resolution / 224)
    published = ss.get(name)
    assert grown.replace(norm_eps=row.norm_eps).key == published.key
    assert grown.resolution == row.resolution
    assert ss.cost(grown) == ss.cost(published)


def test_b1_costs_more_than_its_multipliers_say() -> None:
    asked = Multipliers(depth=1.1, width=1.0, resolution=240 / 224)
    growth = Growth.of(ss.get("efficientnet_b1"), B0, asked)
    assert growth.nominal.nominal_cost == pytest.approx(1.1 * (240 / 224) ** 2) == pytest.approx(1.26, abs=0.005)
    # torchvision's cards: 0.687 and 0.386 G multiply-adds.
    assert growth.macs_ratio == pytest.approx(1.78, abs=0.005) == pytest.approx(0.687 / 0.386, abs=0.005)
    # B0 has 16 layers in its stages, B1 23.
    assert growth.realised == Multipliers(23 / 16, 1.0, 240 / 224)


def test_growth_as_json_values() -> None:
    values = Growth.of(ss.get("efficientnet_b1"), B0, Multipliers(1.1, 1.0, 1.5)).as_dict()
    assert (values["nominal_depth"], values["nominal_width"], values["nominal_resolution"]) == (1.1, 1.0, 1.5)
    assert values["nominal_cost"] == pytest.approx(1.1 * 1.5**2)
    assert (values["depth"], values["width"]) == (23 / 16, 1.0)
    assert values["cost"] == pytest.approx(1.78, abs=0.005)


def test_the_paper_s_coefficients_nearly_double_the_cost() -> None:
    assert Coefficients(1.2, 1.1, 1.15) == PAPER
    assert PAPER.product == pytest.approx(1.92, abs=0.001)
    assert PAPER.miss == pytest.approx(-0.08, abs=0.001)
    assert str(PAPER) == "1.2/1.1/1.15"


def test_phi_one_of_b0_by_hand() -> None:
    grown = scale(B0, PAPER, 1)
    assert [stage.layers for stage in grown.stages] == [2, 3, 3, 4, 4, 5, 2]  # up from 1.2 2.4 2.4 3.6 3.6 4.8 1.2
    # 17.6 26.4 44 88 123.2 211.2 352; 44 lies halfway and goes up
    assert [stage.channels for stage in grown.stages] == [16, 24, 48, 88, 120, 208, 352]
    assert (grown.stem, grown.head, grown.resolution) == (32, 1408, 258)  # 35.2, 1408, 257.6


@given(ABOVE_ONE, ABOVE_ONE, ABOVE_ONE, st.floats(0, 4))
def test_the_nominal_cost_is_the_product_to_the_phi(alpha: float, beta: float, gamma: float, phi: float) -> None:
    coefficients = Coefficients(alpha, beta, gamma)
    assert coefficients.multipliers(phi).nominal_cost == pytest.approx(coefficients.product**phi)


@given(st.sampled_from(("efficientnet_b0", "mobilenet_v2", "mnasnet_a1")), ABOVE_ONE, ABOVE_ONE, ABOVE_ONE)
def test_growing_makes_no_size_smaller_and_keeps_the_rules(name: str, depth: float, width: float, side: float) -> None:
    arch = ss.get(name)
    grown = scale(arch, depth=depth, width=width, resolution=side)
    for now, before in zip(grown.stages, arch.stages, strict=True):
        assert now.layers == math.ceil(before.layers * depth - 1e-9)
        assert now.channels >= 0.9 * width * before.channels
        assert now.channels % 8 == 0 or now.channels == before.channels
    assert abs(grown.resolution - arch.resolution * side) <= 1
    assert ss.cost(grown).macs >= ss.cost(arch).macs


def test_phi_zero_and_multipliers_of_one_leave_the_network_as_it_is() -> None:
    odd = B0.replace(stem=33, resolution=225)
    assert scale(odd, PAPER, 0) is odd
    assert scale(odd) is odd
    assert scale(odd, depth=2.0).stem == 33
    assert scale(B0, depth=2.0).name == ""


def test_divisor_and_step() -> None:
    small = scale(B0.replace(resolution=32), width=1.1, resolution=1.1, divisor=2, step=1)
    assert [stage.channels for stage in small.stages] == [18, 26, 44, 88, 124, 212, 352]
    assert small.resolution == 35  # 35.2


@pytest.mark.parametrize(
    ("side", "factor", "step", "rounded"),
    [(224, 1.15, 2, 258), (224, 240 / 224, 2, 240), (225, 1, 2, 225), (10, 1.1, 2, 12), (10, 0.01, 4, 4)],
)
def test_resolutions_round_to_the_nearest_step_and_halves_up(side: int, factor: float, step: int, rounded: int) -> None:
    assert round_resolution(side, factor, step) == rounded


@pytest.mark.parametrize("values", [(0.9, 1.1, 1.1), (1.1, 0.5, 1.1), (1.1, 1.1, -2.0), (math.nan, 1.1, 1.1)])
def test_coefficients_below_one_shrink_and_are_refused(values: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="alpha|beta|gamma"):
        Coefficients(*values)


@pytest.mark.parametrize("phi", [-1.0, -1e-9, math.nan, math.inf])
def test_phi_is_not_negative(phi: float) -> None:
    with pytest.raises(ValueError, match=f"phi.*{phi:g}"):
        scale(B0, PAPER, phi)


def test_a_phi_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"phi 1e\+06 .*1\.2/1\.1/1\.15"):
        scale(B0, PAPER, 1e6)


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("dimension", ["depth", "width", "resolution"])
def test_multipliers_are_positive(dimension: str, factor: float) -> None:
    with pytest.raises(ValueError, match=f"{dimension}.*{factor:g}"):
        scale(B0, **{dimension: factor})


def test_one_way_of_asking_at_a_time() -> None:
    with pytest.raises(ValueError, match=r"1\.2/1\.1/1\.15, .*1\.5"):
        scale(B0, PAPER, 1, width=1.5)
    with pytest.raises(ValueError, match="coefficients and phi"):
        scale(B0, PAPER)
    with pytest.raises(ValueError, match="coefficients and phi"):
        scale(B0, phi=1)


def test_a_resolution_below_the_stride_is_refused() -> None:
    assert at_resolution(B0, 32).resolution == 32
    with pytest.raises(ValueError, match="30 px .*32"):
        at_resolution(B0, 30)
    with pytest.raises(ValueError, match="22 px .*32"):
        scale(B0, resolution=0.1)
    with pytest.raises(ValueError, match="step.*0"):
        round_resolution(224, 1.1, 0)


def test_the_realised_width_is_a_geometric_mean() -> None:
    arch = ss.Arch(stages=(ss.Stage("conv", 3, 1, 8, 2),), stem=8, head=16, resolution=32)
    grown = ss.Arch(stages=(ss.Stage("conv", 3, 1, 16, 3),), stem=8, head=64, resolution=40)
    got = realised(grown, arch)
    assert (got.depth, got.resolution) == (1.5, 1.25)
    assert got.width == pytest.approx(2.0)  # (1 * 2 * 4)^(1/3)


def test_networks_of_other_stages_are_no_scaled_form() -> None:
    with pytest.raises(ValueError, match="6 .*7"):
        realised(B0.replace(stages=B0.stages[:6]), B0)

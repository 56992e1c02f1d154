"""The networks of a grid: one for all points that round to it, at equal cost, within the budgets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

import search_spaces as ss
from scaling.grid.lattice import Lattice, coefficients
from scaling.grid.networks import Budget, GridNetworks, grid_networks
from search_spaces.metrics.counts import cost
from search_spaces.metrics.memory import training_memory
from search_spaces.networks.arch import Arch, Stage
from search_spaces.resizing.compound import scale
from search_spaces.resizing.matching import TOLERANCE
from search_spaces.resizing.rounding import Rounding

BASE = Arch(
    stages=(
        Stage("sepconv", 3, 1, 16, 1),
        Stage("mbconv", 3, 2, 24, 2, 3.0, se=0.25),
        Stage("mbconv", 5, 2, 40, 2, 3.0),
        Stage("sepconv", 3, 1, 64, 1, skip="pool"),
    ),
    stem=16,
    stem_stride=1,
    head=128,
    resolution=16,
    classes=10,
)
FINE = Rounding(2, 4)
TARGET = 2 * cost(BASE).macs
FREE = Budget(macs=10**12, memory=None, batch_size=128, pixels=1000)


@pytest.fixture(scope="module")
def matched() -> GridNetworks:
    return grid_networks(BASE, Lattice(), 1.0, FINE, FREE, TARGET)


@pytest.fixture(scope="module")
def raw() -> GridNetworks:
    return grid_networks(BASE, Lattice(), 1.0, Rounding(8, 4), FREE, None)


@pytest.mark.parametrize("which", ["matched", "raw"])
def test_every_point_belongs_to_exactly_one_network(which: str, request: pytest.FixtureRequest) -> None:
    found: GridNetworks = request.getfixturevalue(which)
    members = [point for one in found.networks for point in one.points]
    lost = sum(found.left_out.values())
    assert len(members) == len(set(members)) == found.points - lost == 22 - lost
    assert set(members) <= set(coefficients(Lattice().points()))
    assert len({one.arch.key for one in found.networks}) == len(found.networks)
    for one in found.networks:
        assert one.macs == cost(one.arch).macs
        assert one.coefficients in one.points


def test_raw_networks_are_those_that_scale_makes(raw: GridNetworks) -> None:
    """Grouped by brute force: every point scaled by itself."""
    groups: dict[Arch, list[object]] = {}
    for point in coefficients(Lattice().points()):
        groups.setdefault(scale(BASE, point, 1.0, divisor=8, step=4), []).append(point)
    stays = groups.pop(BASE, [])
    assert {one.arch: list(one.points) for one in raw.networks} == groups
    assert raw.left_out == Counter({"rounded to the baseline itself": len(stays)} if stays else {})
    assert any(len(points) > 1 for points in groups.values())
    for one in raw.networks:
        assert abs(one.coefficients.miss) == min(abs(point.miss) for point in one.points)


def test_networks_are_matched_to_the_target(matched: GridNetworks) -> None:
    assert matched.target == TARGET
    for one in matched.networks:
        assert one.growth.macs_ratio == pytest.approx(one.macs / cost(BASE).macs)
        only_resolution = one.coefficients.alpha == one.coefficients.beta == 1
        assert only_resolution or abs(one.macs / TARGET - 1) <= 0.03


def test_a_large_network_is_matched_to_a_hundredth_at_every_point() -> None:
    base = ss.get("mnasnet_a1")
    target = 2 * cost(base).macs
    found = grid_networks(base, Lattice(), 1.0, Rounding(), FREE, target)
    assert len(found.networks) >= 10
    assert all(abs(one.macs / target - 1) <= TOLERANCE for one in found.networks)


def test_realised_coefficients_give_the_realised_multipliers_back(matched: GridNetworks) -> None:
    one = grid_networks(BASE, Lattice(), 2.0, FINE, FREE, 4 * cost(BASE).macs).networks[0]
    alpha, beta, gamma = one.realised_coefficients(2.0)
    got = one.growth.realised
    assert (alpha**2, beta**2, gamma**2) == pytest.approx((got.depth, got.width, got.resolution))
    # The nominal multipliers stay those of the point, whatever was matched.
    assert one.growth.nominal == one.coefficients.multipliers(2.0)


def test_the_flop_budget_leaves_out_what_costs_more(raw: GridNetworks) -> None:
    limit = sorted(one.macs for one in raw.networks)[len(raw.networks) // 2]
    found = grid_networks(BASE, Lattice(), 1.0, Rounding(8, 4), replace(FREE, macs=limit), None)
    assert {one.arch for one in found.networks} == {one.arch for one in raw.networks if one.macs <= limit}
    beyond = sum(len(one.points) for one in raw.networks if one.macs > limit)
    (reason,) = [reason for reason in found.left_out if "FLOP" in reason]
    assert found.left_out[reason] == beyond


def test_the_memory_budget_leaves_out_what_needs_more(raw: GridNetworks) -> None:
    needs = {one.arch: training_memory(one.arch, 32).total for one in raw.networks}
    limit = sorted(needs.values())[len(needs) // 2]
    found = grid_networks(BASE, Lattice(), 1.0, Rounding(8, 4), replace(FREE, memory=limit, batch_size=32), None)
    assert {one.arch for one in found.networks} == {arch for arch, need in needs.items() if need <= limit}


def test_networks_larger_than_the_images_are_left_out(matched: GridNetworks) -> None:
    found = grid_networks(BASE, Lattice(), 1.0, FINE, replace(FREE, pixels=16), TARGET)
    assert {one.arch.resolution for one in found.networks} == {16}
    upsampled = sum(len(one.points) for one in matched.networks if one.arch.resolution > 16)
    assert found.left_out["upsampled: larger than the images' own 16 px"] == upsampled > 0


def test_a_network_that_did_not_grow_is_no_candidate() -> None:
    """On steps of 16 px nothing happens to 16 px at gamma 1.4."""
    only = Lattice(alpha=(1.0, 1.0), beta=(1.0, 1.0))
    found = grid_networks(BASE, only, 1.0, Rounding(8, 16), FREE, None)
    assert found.networks == ()
    assert found.left_out == Counter({"rounded to the baseline itself": 1})


def test_few_networks_are_refused_unless_asked_for(matched: GridNetworks) -> None:
    matched.check(allow_small=False)
    few = replace(matched, networks=matched.networks[:9])
    with pytest.raises(ValueError, match="--allow-small"):
        few.check(allow_small=False)
    few.check(allow_small=True)
    replace(matched, networks=matched.networks[:10]).check(allow_small=False)


def test_no_network_is_refused_whatever_is_allowed() -> None:
    found = grid_networks(BASE, Lattice(), 1.0, FINE, replace(FREE, macs=1), TARGET)
    with pytest.raises(ValueError, match="--proxy.resolution"):
        found.check(allow_small=True)

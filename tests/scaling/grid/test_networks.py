"""The networks of a grid: one for all points that round to it, at equal cost, within the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

import search_spaces as ss
from scaling.grid.budget import Budget
from scaling.grid.lattice import Lattice, coefficients
from scaling.grid.networks import GridNetworks, grid_networks
from search_spaces.metrics.counts import cost
from search_spaces.metrics.memory import inference_memory, training_memory
from search_spaces.metrics.registry import Conditions
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
FREE = Budget({}, Conditions(batch_size=32), pixels=1000)
# Of one network, as the papers and the memory model count.
NEEDS: dict[str, Callable[[Arch], int]] = {
    "macs": lambda arch: cost(arch).macs,
    "params": lambda arch: cost(arch).params,
    "activations": lambda arch: cost(arch).activations,
    "inference_memory": lambda arch: inference_memory(arch, 1).total,
    "training_memory": lambda arch: training_memory(arch, 32).total,
}
FLAGS = {"macs": "--max-flops", "params": "--max-params", "training_memory": "--max-memory"}


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


@pytest.mark.parametrize("name", NEEDS)
def test_a_limit_leaves_out_what_needs_more(name: str, raw: GridNetworks) -> None:
    needs = {one.arch: NEEDS[name](one.arch) for one in raw.networks}
    limit = sorted(needs.values())[len(needs) // 2]
    found = grid_networks(BASE, Lattice(), 1.0, Rounding(8, 4), replace(FREE, limits={name: limit}), None)
    assert {one.arch for one in found.networks} == {arch for arch, need in needs.items() if need <= limit}
    beyond = sum(len(one.points) for one in raw.networks if needs[one.arch] > limit)
    (reason,) = found.left_out.keys() - raw.left_out.keys()
    assert found.left_out[reason] == beyond > 0
    (reach,) = found.reach
    # Points that round to the baseline itself need what it needs.
    spent = [NEEDS[name](BASE)] * bool(raw.left_out) + list(needs.values())
    assert (reach.metric, reach.limit, reach.low, reach.high) == (name, limit, min(spent), max(spent))
    assert (reach.points, reach.within) == (22, 22 - beyond)


def test_points_over_several_limits_are_counted_once(raw: GridNetworks) -> None:
    limits = {name: sorted(NEEDS[name](one.arch) for one in raw.networks)[3] for name in ("params", "macs")}
    found = grid_networks(BASE, Lattice(), 1.0, Rounding(8, 4), replace(FREE, limits=limits), None)
    kept = [one for one in raw.networks if all(NEEDS[name](one.arch) <= limit for name, limit in limits.items())]
    assert {one.arch for one in found.networks} == {one.arch for one in kept}
    assert sum(found.left_out.values()) == 22 - sum(len(one.points) for one in kept)
    assert [one.metric for one in found.reach] == ["params", "macs"]


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


@pytest.mark.parametrize("name", NEEDS)
def test_a_refusal_names_the_limit_that_leaves_nothing(name: str) -> None:
    """The limit is what the baseline needs; the other one leaves out nothing."""
    limits = {name: NEEDS[name](BASE), **({} if name == "macs" else {"macs": 10**12})}
    found = grid_networks(BASE, Lattice(gamma=(1.0, 1.0)), 1.0, FINE, replace(FREE, limits=limits), TARGET)
    with pytest.raises(ValueError, match=f"raise {FLAGS.get(name, f'--limits {name}=VALUE')} .*--proxy.resolution"):
        found.check(allow_small=True)


@pytest.mark.parametrize("name", NEEDS)
def test_a_baseline_over_a_limit_is_refused(name: str) -> None:
    budget = replace(FREE, limits={name: NEEDS[name](BASE) - 1})
    with pytest.raises(ValueError, match=f"raise {FLAGS.get(name, f'--limits {name}=VALUE')}"):
        grid_networks(BASE, Lattice(), 1.0, FINE, budget, TARGET)


def test_no_network_is_refused_whatever_is_allowed() -> None:
    found = grid_networks(BASE, Lattice(), 1.0, FINE, replace(FREE, pixels=1), TARGET)
    with pytest.raises(ValueError, match="--proxy.resolution"):
        found.check(allow_small=True)

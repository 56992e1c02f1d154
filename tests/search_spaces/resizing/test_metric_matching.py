"""Networks brought to a target of a metric: width first, then depth."""

from __future__ import annotations

import pytest

import search_spaces as ss
from search_spaces.metrics.compute import compute
from search_spaces.networks.arch import Arch
from search_spaces.resizing.metric_matching import NEAR, TOLERANCE, match
from search_spaces.resizing.shrink import drop_strides

NAMES = ("mobilenet_v2", "mnasnet_a1", "efficientnet_b0", "resnet18")
TARGETS = [("macs", 224, 400_000_000), ("macs", 28, 60_000_000), ("params", 64, 2_000_000),
           ("inference_memory", 224, 24 << 20), ("training_memory", 64, 64 << 20)]  # fmt: skip


def sized(name: str, resolution: int) -> Arch:
    return drop_strides(ss.get(name).replace(resolution=resolution, classes=10), 4)


def depths(arch: Arch) -> list[int]:
    return [stage.layers for stage in arch.stages]


@pytest.mark.parametrize(("metric", "resolution", "target"), TARGETS)
@pytest.mark.parametrize("name", NAMES)
def test_the_target_is_met_by_width_alone(name: str, metric: str, resolution: int, target: int):
    arch = sized(name, resolution)
    found = match(arch, metric, target)
    assert found.value == compute(metric, found.arch)
    assert abs(found.value / target - 1) <= TOLERANCE
    assert found.ratio == pytest.approx(found.value / target)
    assert depths(found.arch) == depths(arch)
    assert found.layers == sum(depths(arch))
    assert (found.arch.resolution, found.arch.classes) == (resolution, 10)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_at_the_target_stays_as_it_is(name: str):
    arch = ss.get(name)
    found = match(arch, "macs", ss.cost(arch).macs)
    assert abs(found.miss) <= NEAR
    assert found.width == pytest.approx(1, abs=0.02)


def test_a_network_below_the_target_is_preferred():
    for target in range(200_000_000, 400_000_000, 20_000_000):
        assert match(sized("mobilenet_v2", 224), "macs", target).value <= target


def test_layers_are_taken_away_where_no_width_is_small_enough():
    # At width 1/32 the 17 layers, of one channel at least, still cost more than this.
    arch = sized("mobilenet_v2", 224)
    target = 2_000_000
    found = match(arch, "macs", target)
    assert found.layers < sum(depths(arch))
    assert found.miss <= TOLERANCE


def test_what_cannot_be_reached_is_said():
    found = match(sized("mobilenet_v2", 224), "macs", 10_000)
    assert not found.is_reached
    assert found.value > 10_000


def test_a_target_must_be_positive():
    with pytest.raises(ValueError, match="0"):
        match(sized("mobilenet_v2", 224), "macs", 0)

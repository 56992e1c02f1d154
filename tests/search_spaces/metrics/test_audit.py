"""The audit: fvcore's and torch's figures explained without a remainder."""

from __future__ import annotations

import dataclasses
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.metrics.audit import Audit, audit
from search_spaces.metrics.counts import cost
from search_spaces.metrics.tables import audit_table
from search_spaces.networks.arch import Arch
from search_spaces.zoo.registry import get, names

# One network of every family at its published resolution; the others differ in the sizes of the maps only.
PUBLISHED_SIZE = ("efficientnet_b0", "efficientnetv2_b0", "mnasnet_a1", "mobilenet_v1", "mobilenet_v2", "resnet18")
SMALL_SIZE = 65
LARGE = {*(f"efficientnet_{size}" for size in ("b4", "b5", "b6", "b7", "b8", "l2")), "resnet101", "resnet152"}
LARGE |= {f"efficientnetv2_{size}" for size in ("m", "l", "xl")}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in names()])
def test_no_remainder_for_any_named_network(name: str) -> None:
    arch = get(name)
    side = arch.resolution if name in PUBLISHED_SIZE else min(SMALL_SIZE, arch.resolution)
    result = audit(arch.replace(resolution=side))
    assert (result.fvcore_remainder, result.torch_remainder) == (0, 0)
    assert result.torch == 2 * result.macs
    # Batch norms weigh more in networks for small images.
    assert 1 < result.fvcore / result.macs < (1.06 if arch.resolution >= 224 else 1.15)


@settings(deadline=None, max_examples=15)
@given(st.from_type(Arch))
def test_no_remainder_for_random_networks(arch: Arch) -> None:
    result = audit(arch)
    assert (result.fvcore_remainder, result.torch_remainder) == (0, 0)
    assert result.cost == cost(arch)


@pytest.fixture(scope="module")
def b0() -> Audit:
    return audit(get("efficientnet_b0"))


def test_b0_s_figures(b0: Audit) -> None:
    """As published: 385.8 M multiply-adds, about 400 M by fvcore, 771.6 M by torch."""
    assert (b0.macs, b0.torch) == (385_814_752, 771_629_504)
    assert round(b0.fvcore / 1e7) == 40
    assert (b0.name, b0.resolution) == ("efficientnet_b0", 224)


def test_the_operations_sum_up_to_the_totals(b0: Audit) -> None:
    assert sum(row.macs for row in b0.operations) == b0.macs
    assert sum(row.fvcore for row in b0.operations) == b0.fvcore
    assert sum(row.torch for row in b0.operations) == b0.torch


def test_b0_s_work_beyond_multiply_adds_by_hand(b0: Audit) -> None:
    """The elements of batch norms and pools, from EN Table 1."""
    sizes = [(32, 16, 1, 1, 112, 112), (16, 24, 2, 6, 112, 56), (24, 40, 2, 6, 56, 28), (40, 80, 3, 6, 28, 14)]
    sizes += [(80, 112, 3, 6, 14, 14), (112, 192, 4, 6, 14, 7), (192, 320, 1, 6, 7, 7)]
    norms, pooled = 32 * 112**2 + 1280 * 7**2, 1280 * 7**2
    for given_channels, channels, layers, expansion, given_size, size in sizes:
        for index in range(layers):
            before, side = (given_channels, given_size) if index == 0 else (channels, size)
            hidden = before * expansion
            norms += (hidden * side**2 if expansion > 1 else 0) + hidden * size**2 + channels * size**2
            pooled += hidden * size**2  # SE pools the depthwise convolution's output
    work = {row.name: row.work for row in b0.operations}
    assert work["batch norm"] == norms
    assert work["global pooling"] == pooled
    assert b0.fvcore == b0.macs + 2 * norms + pooled


def test_a_wrong_figure_leaves_a_remainder(b0: Audit) -> None:
    assert dataclasses.replace(b0, fvcore=b0.fvcore + 7).fvcore_remainder == 7
    first, *rest = b0.operations
    changed = dataclasses.replace(b0, operations=(dataclasses.replace(first, torch_rule=first.torch - 5), *rest))
    assert changed.torch_remainder == 5
    rows = [audit_table(result).split("\n\n")[0].splitlines()[-1].split() for result in (b0, changed)]
    assert rows == [["unexplained", "0", "0"], ["unexplained", "0", "5"]]


def test_the_audit_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audit(get("mnasnet_a1").replace(resolution=32))
    assert capfd.readouterr() == ("", "")

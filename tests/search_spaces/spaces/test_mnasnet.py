"""MnasNet's factorised hierarchical space against the paper and hand arithmetic."""

from __future__ import annotations

import dataclasses
from itertools import product
from typing import Any

import numpy as np
import pytest

from search_spaces.counting.exact import exact_count
from search_spaces.counting.trellis import Trellis
from search_spaces.metrics.counts import cost
from search_spaces.spaces.cost_tables import CostTables
from search_spaces.spaces.mnasnet import mnasnet_space, small_space
from search_spaces.zoo.efficientnet import B0
from search_spaces.zoo.mnasnet import MNASNET_A1
from search_spaces.zoo.mobilenet import MOBILENET_V2


def test_choices_of_a_stage() -> None:
    choices = mnasnet_space().choices
    assert len(choices) == 7 * 6
    assert {key: values for key, values in choices.items() if key.startswith("stage2.")} == {
        "stage2.op": ("conv", "sepconv", "mbconv3", "mbconv6"),
        "stage2.kernel": (3, 5),
        "stage2.se": (0.0, 0.25),
        "stage2.skip": ("pool", "identity", "none"),
        "stage2.filters": (0.75, 1.0, 1.25),
        "stage2.layers": (1, 2, 3),
    }
    assert choices["stage1.layers"] == (1, 2)


@pytest.mark.parametrize("reference", ["mobilenet_v2", "mnasnet_a1"])
def test_sizes_by_hand(reference: str) -> None:
    space = mnasnet_space(reference=reference)
    assert space.size == 144**7 * 2 * 3**5 * 2
    # No first layer of any stage can hold a residual (stride 2, or channels that differ), so that at one layer identity
    # is none: 2 skips there, 3 at more. 16 x 3 options for op, kernel, SE and filters; layers 1-2, 1-3, and so on.
    skips = {"mobilenet_v2": (5, 8, 9, 9, 9, 9, 5), "mnasnet_a1": (5, 8, 9, 9, 8, 9, 5)}[reference]
    assert space.networks == 48**7 * np.prod(skips, dtype=object)


def test_filters_are_exact_products() -> None:
    assert [stage.channels for stage in mnasnet_space().stages] == [
        (12, 16, 20),
        (18, 24, 30),
        (24, 32, 40),
        (48, 64, 80),
        (72, 96, 120),
        (120, 160, 200),
        (240, 320, 400),
    ]
    assert mnasnet_space(divisor=8).stages[0].channels == (16, 16, 24)


def test_width_scales_the_references_channels_before_the_filters() -> None:
    space = mnasnet_space(width=0.5, divisor=8)
    assert (space.reference.stem, space.reference.head) == (16, 640)
    # MobileNetV2's 16 24 32 64 96 160 320, halved: 8 12 16 32 48 80 160; 12 is rounded to 16.
    assert [stage.channels[1] for stage in space.stages] == [8, 16, 16, 32, 48, 80, 160]
    assert space.stages[3].channels == (24, 32, 40)
    assert small_space(width=2.0).reference.head == 2 * small_space().reference.head
    assert mnasnet_space(width=1.0).stages == mnasnet_space().stages
    with pytest.raises(ValueError, match="width.*0"):
        small_space(width=0.0)


def test_a_choice_becomes_the_stages_it_names() -> None:
    space = mnasnet_space(resolution=96, classes=10)
    choice = space.choice(space.find(MOBILENET_V2.replace(resolution=96, classes=10)))
    changed = choice | {"stage4.op": "conv", "stage4.kernel": 5, "stage4.se": 0.25, "stage4.filters": 1.25}
    arch = space.decode(changed | {"stage4.skip": "none", "stage4.layers": 3})
    assert (arch.resolution, arch.classes, arch.stem, arch.head, arch.activation) == (96, 10, 32, 1280, "relu6")
    assert dataclasses.astuple(arch.stages[3]) == ("conv", 5, 2, 80, 3, 1, 0.25, "none")


def test_the_references_lie_in_their_own_spaces_only() -> None:
    mobile, a1 = mnasnet_space(), mnasnet_space(reference="mnasnet_a1")
    assert mobile.contains(MOBILENET_V2)
    assert a1.contains(MNASNET_A1)
    assert not mobile.contains(MNASNET_A1)
    assert not a1.contains(MOBILENET_V2)
    b0 = mnasnet_space(reference="efficientnet_b0")
    assert not b0.contains(MNASNET_A1)
    assert not b0.contains(MOBILENET_V2)
    for reference, activation in product(("mobilenet_v2", "mnasnet_a1"), (None, "silu")):
        assert not mnasnet_space(reference=reference, activation=activation).contains(B0)


@pytest.mark.parametrize("settings", [{}, {"resolution": 64, "classes": 20}, {"activation": "relu"}])
def test_efficientnet_b0_is_a_member_of_its_own_space(settings: dict[str, Any]) -> None:
    space, b0 = mnasnet_space(reference="efficientnet_b0", **settings), B0.replace(**settings)
    encoding = space.find(b0)
    assert encoding is not None
    assert space.decode(space.choice(encoding)).key == b0.key


def test_the_size_of_the_space_of_efficientnet_b0_by_hand() -> None:
    space = mnasnet_space(reference="efficientnet_b0")
    assert [stage.channels for stage in space.stages] == [
        (12, 16, 20), (18, 24, 30), (30, 40, 50), (60, 80, 100), (84, 112, 140), (144, 192, 240), (240, 320, 400),
    ]  # fmt: skip
    # As in `test_sizes_by_hand`, except for the last stage behind 240 channels: if it has 240 too (one of nine pairs of
    # filters), its first layer holds a residual, so that pool is identity: 2 skips at one layer and 2 at two, not 5.
    assert space.size == 144**7 * 2 * 3**5 * 2
    assert space.networks == 48**5 * 5 * 8 * 8 * 9 * 9 * 16**2 * 9 * (8 * 5 + 1 * 4)


@pytest.mark.parametrize(
    ("reference", "arch", "macs", "params"),
    [
        ("mobilenet_v2", MOBILENET_V2, 300_774_272, 3_504_872),
        ("mnasnet_a1", MNASNET_A1, 311_579_072, 3_887_038),
        ("efficientnet_b0", B0, 385_814_752, 5_288_548),
    ],
)
def test_the_tables_give_published_counts(reference: str, arch: object, macs: int, params: int) -> None:
    """Counts of torchvision's mobilenet_v2 and efficientnet_b0 and timm's mnasnet_a1: convolution and linear layers."""
    space = mnasnet_space(reference=reference)
    costs = space.costs(space.find(arch))
    assert (costs.macs.item(), costs.params.item()) == (macs, params)


@pytest.mark.parametrize(
    "space",
    [
        mnasnet_space(),
        mnasnet_space(reference="mnasnet_a1", resolution=97, classes=7, divisor=4),
        small_space(),
        small_space(resolution=28, classes=100, activation="silu", divisor=8),
    ],
    ids=lambda space: f"{space.reference.name}-{space.reference.resolution}",
)
def test_thousands_of_costs_are_the_walks(space) -> None:
    encodings = space.sample(np.random.default_rng(1), 2000)
    walked = [cost(space.decode(space.choice(encoding))) for encoding in encodings]
    expected = np.array([dataclasses.astuple(each) for each in walked]).T
    np.testing.assert_array_equal(np.array(space.costs(encodings)), expected)


def test_a_band_agrees_with_plain_sampling() -> None:
    """The share of the band among a million plain samples is the counted share, within its standard error."""
    space, band, n = mnasnet_space(), (320_000_000, 420_000_000), 1_000_000
    macs = space.costs(space.sample(np.random.default_rng(2), n)).macs
    hits = ((band[0] <= macs) & (macs <= band[1])).sum()
    share = space.count(macs=band) / space.size
    assert abs(hits - n * share) < 4 * np.sqrt(n * share * (1 - share))


def test_a_sample_in_the_band_looks_like_plain_samples_that_fall_there() -> None:
    space, band, rng = mnasnet_space(), (320_000_000, 420_000_000), np.random.default_rng(3)
    plain = space.sample(rng, 100_000)
    macs = space.costs(plain).macs
    rejected = plain[(band[0] <= macs) & (macs <= band[1])]
    drawn = space.sample(rng, len(rejected), macs=band)
    for column, radix in enumerate(space.radices):
        shares = [np.bincount(rows[:, column], minlength=radix) / len(rows) for rows in (rejected, drawn)]
        np.testing.assert_allclose(*shares, atol=4.5 * np.sqrt(0.5 / len(drawn)))


@pytest.mark.parametrize("band", [(320_000_000, 420_000_000), (390_000_000, 400_000_000), (0, 100_000_000)])
def test_bounds_are_no_wider_than_a_thousandth(band: tuple[int, int]) -> None:
    for of in ("encodings", "networks"):
        count = mnasnet_space().count(macs=band, of=of)
        assert 0 < count.lower <= count.upper <= 1.001 * count.lower


@pytest.mark.slow
def test_bounds_hold_the_exact_count() -> None:
    """The exact number comes by another method, from sums of the tables met in the middle."""
    space, band = mnasnet_space(), (45_000_000, 75_000_000)
    macs = CostTables(space.stages, space.reference).table("macs").sums
    trellis = Trellis(macs, tuple(np.ones(table.shape, dtype=bool) for table in macs))
    exact = exact_count(trellis, band, 20_000_000)
    count = space.count(macs=band)
    assert exact is not None
    assert count.lower < exact < count.upper


def test_an_impossible_target_is_named_with_the_range() -> None:
    with pytest.raises(ValueError, match=r"^--target-flops .*43\.7M.*1\.53G.*mnasnet at 224 px.*5G$"):
        mnasnet_space().check_target(5_000_000_000, "--target-flops")


def test_the_small_space_suits_small_images() -> None:
    # Below 28 px the last downsampling is left out: 16 px end in 4x4 all the same.
    for resolution, last_map in ((16, 4), (24, 6), (27, 7), (28, 4), (32, 4), (64, 8)):
        space = small_space(resolution=resolution)
        assert space.contains(space.reference)
        assert space.reference.stem_stride == 1
        assert -(-resolution // space.reference.total_stride) == last_map


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"reference": "mobilenetv2"}, "'mobilenetv2'.*'mobilenet_v2'"),
        ({"divisor": 0}, "divisor.*0"),
        ({"resolution": 0}, "resolution.*0"),
        ({"activation": "rleu"}, "'rleu'.*'relu'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        mnasnet_space(**settings)

"""EfficientNetV2's space: the paper's choices on its backbone's channels, counted exactly, on small images too."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import search_spaces as ss
from search_spaces.networks.layers import walk
from search_spaces.spaces.efficientnetv2 import efficientnetv2_space
from search_spaces.spaces.mutation import into_band, mutants
from search_spaces.spaces.staged import StagedSpace

B4 = ss.get("efficientnet_b4")


def test_choices_of_a_stage() -> None:
    space = efficientnetv2_space()
    assert {key: values for key, values in space.choices.items() if key.startswith("stage2.")} == {
        "stage2.op": ("mbconv1", "mbconv4", "mbconv6", "fused1", "fused4", "fused6"),
        "stage2.kernel": (3, 5),
        "stage2.se": (0.25,),
        "stage2.skip": ("identity",),
        "stage2.filters": (1.0,),
        # B4's second stage has four layers.
        "stage2.layers": (2, 4, 6, 8),
    }
    assert efficientnetv2_space(reference="efficientnet_b0").choices["stage1.layers"] == (1, 2)


def test_channels_are_the_backbone_s() -> None:
    space = efficientnetv2_space()
    assert space.reference.widths == B4.widths == (48, 24, 32, 56, 112, 160, 272, 448, 1792)
    assert (space.reference.resolution, space.reference.activation) == (380, "silu")
    assert [stage.channels for stage in space.stages] == [(width,) for width in B4.widths[1:-1]]
    assert efficientnetv2_space(width=0.5).reference.widths == (24, 16, 16, 32, 56, 80, 136, 224, 896)


def test_sizes_by_hand() -> None:
    # Six ops, two kernels, and 4 depths: B4's layers are 2 4 4 6 6 8 2; halves, halves more and doubles all differ.
    space = efficientnetv2_space()
    assert space.size == space.networks == (6 * 2 * 4) ** 7
    # V2-B0's first stage has one layer, of which half is one too: 1, 2.
    assert efficientnetv2_space(reference="efficientnetv2_b0").size == 24 * 48**5


def test_only_mbconv_squeezes() -> None:
    space = efficientnetv2_space()
    for op, ratio in (("mbconv4", 0.25), ("fused4", 0.0)):
        choice = space.choice(np.zeros(len(space.radices), dtype=np.int64)) | {"stage3.op": op}
        stage = space.decode(choice).stages[2]
        assert (stage.op, stage.expansion, stage.se) == (op[:-1], 4, ratio)


def test_the_published_networks_lie_around_themselves_only() -> None:
    for name in ("efficientnetv2_s", "efficientnetv2_b0"):
        published = ss.get(name)
        space = efficientnetv2_space(reference=name)
        found = space.find(published)
        assert found is not None
        assert space.decode(space.choice(found)).key == published.key
        assert not efficientnetv2_space().contains(published)
    # B4 itself is all MBConv of expansion 1 and 6, kernels 3 and 5.
    assert efficientnetv2_space().contains(B4)


def two_stages() -> StagedSpace:
    space = efficientnetv2_space(resolution=32, width=0.25, classes=10)
    return StagedSpace("two", space.stages[:2], space.reference.replace(stages=space.reference.stages[:2]))


def test_counts_and_samples_against_all_networks() -> None:
    space = two_stages()
    choices = [dict(zip(space.choices, values, strict=True)) for values in product(*space.choices.values())]
    archs = [space.decode(choice) for choice in choices]
    macs = np.array([ss.cost(arch).macs for arch in archs])
    low, high = (int(value) for value in np.quantile(macs, (0.3, 0.6)))
    inside = {arch.key for arch, spent in zip(archs, macs, strict=True) if low <= spent <= high}
    assert space.reach("macs")[:2] == (macs.min(), macs.max())
    assert int(space.count(macs=(low, high), of="networks")) == len(inside)
    drawn = space.sample(np.random.default_rng(0), 20 * len(inside), macs=(low, high), of="networks")
    assert {space.key(space.choice(row)) for row in np.unique(drawn, axis=0)} == inside


def test_mutants_stay_in_the_band() -> None:
    space, rng = efficientnetv2_space(resolution=64, width=0.5), np.random.default_rng(1)
    band = (80_000_000, 105_000_000)
    parents = space.sample(rng, 4, macs=band, of="networks")
    found = mutants(space, rng, parents, 300, {"macs": band})
    assert len(found)
    assert space.inside(found, band).all()
    assert into_band(space, rng, space.sample(rng, 1)[0], {"macs": band}) is not None


@pytest.mark.parametrize(
    ("resolution", "last"), [(380, 12), (128, 4), (97, 4), (96, 6), (64, 4), (48, 6), (32, 4), (16, 4), (4, 4), (2, 2)]
)
def test_small_images_keep_a_last_map(resolution: int, last: int) -> None:
    space = efficientnetv2_space(resolution=resolution, width=0.25, classes=10)
    arch = space.decode(space.choice(space.sample(np.random.default_rng(0), 1)[0]))
    assert walk(arch)[-2].in_size == last
    assert arch.resolution == resolution


def test_unknown_references_and_settings() -> None:
    with pytest.raises(ValueError, match="'efficientnet_b3'.*'efficientnet_b"):
        efficientnetv2_space(reference="efficientnet_b3")
    with pytest.raises(ValueError, match="^size .*efficientnetv2.*3"):
        ss.space("efficientnetv2", size=3)
    with pytest.raises(ValueError, match="'efficientnetv3'.*'efficientnetv2'"):
        ss.space("efficientnetv3")

"""Staged spaces against brute force on a small one that has every kind of equal networks."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Stage
from search_spaces.spaces.stage_choices import split_op
from search_spaces.spaces.staged import StagedSpace
from tests.search_spaces.spaces.small import NETWORKS, REFERENCE, STAGES, small_staged_space


@pytest.fixture(scope="module")
def small() -> StagedSpace:
    return small_staged_space()


@pytest.fixture(scope="module")
def encodings(small: StagedSpace) -> np.ndarray:
    """All of them."""
    return np.indices(small.radices).reshape(len(small.radices), -1).T


@pytest.fixture(scope="module")
def keys(small: StagedSpace, encodings: np.ndarray) -> list[str]:
    return [small.key(small.choice(encoding)) for encoding in encodings]


def test_size_by_hand(small: StagedSpace) -> None:
    assert small.size == 16 * 24 * 12


def test_networks_by_hand_and_by_brute_force(small: StagedSpace, keys: list[str]) -> None:
    assert small.networks == len(set(keys)) == NETWORKS
    assert small.count(of="networks") == NETWORKS


def test_all_costs_are_the_walks(small: StagedSpace, encodings: np.ndarray) -> None:
    walked = [cost(small.decode(small.choice(encoding))) for encoding in encodings]
    params, macs, activations = small.costs(encodings)
    assert params.tolist() == [each.params for each in walked]
    assert macs.tolist() == [each.macs for each in walked]
    assert activations.tolist() == [each.activations for each in walked]
    assert small.reach("macs")[:2] == (macs.min(), macs.max())


def test_costs_of_one_encoding_and_of_any_integer_type(small: StagedSpace, encodings: np.ndarray) -> None:
    all_macs = small.costs(encodings).macs
    assert small.costs(encodings[7]).macs.tolist() == [all_macs[7]]
    np.testing.assert_array_equal(small.costs(encodings.astype(np.uint8)).macs, all_macs)
    assert small.costs(encodings[:0]).macs.shape == (0,)


def test_costs_across_chunks(small: StagedSpace, encodings: np.ndarray) -> None:
    rows = np.concatenate([encodings] * 4)
    assert len(rows) > 2 * 8192
    np.testing.assert_array_equal(small.costs(rows).macs, np.tile(small.costs(encodings).macs, 4))


def test_canonical_encodings_are_equal_exactly_for_equal_networks(
    small: StagedSpace, encodings: np.ndarray, keys: list[str]
) -> None:
    canonical = [tuple(row) for row in small.canonical(encodings)]
    assert len(set(zip(canonical, keys, strict=True))) == len(set(canonical)) == len(set(keys))


@pytest.mark.parametrize("share", [(0.0, 1.0), (0.2, 0.5), (0.45, 0.55), (0.9, 2.0), (-1.0, 0.05)])
def test_counts_in_bands_by_brute_force(
    small: StagedSpace, encodings: np.ndarray, keys: list[str], share: tuple[float, float]
) -> None:
    macs = small.costs(encodings).macs
    low, high = (float(macs.min() + part * (macs.max() - macs.min())) for part in share)
    inside = (low <= macs) & (macs <= high)
    assert inside.any()
    count = small.count(macs=(low, high))
    assert (count, count.exact) == (inside.sum(), True)
    networks = small.count(macs=(low, high), of="networks")
    assert networks == len({key for key, within in zip(keys, inside, strict=True) if within})


@pytest.mark.parametrize("of", ["encodings", "networks"])
@pytest.mark.parametrize("share", [None, (0.2, 0.4)])
def test_samples_are_uniform(
    small: StagedSpace, encodings: np.ndarray, of: str, share: tuple[float, float] | None
) -> None:
    macs = small.costs(encodings).macs
    low, high = macs.min(), macs.max()
    band = share and tuple(int(low + part * (high - low)) for part in share)
    inside = encodings if band is None else encodings[(band[0] <= macs) & (macs <= band[1])]
    expected = {tuple(row) for row in (small.canonical(inside) if of == "networks" else inside)}
    drawn = small.sample(np.random.default_rng(3), 40 * len(expected), macs=band, of=of)
    seen = Counter(map(tuple, drawn))
    assert set(seen) <= expected
    assert chisquare([seen[row] for row in expected]).pvalue > 0.01


def test_find_gives_the_canonical_encoding(small: StagedSpace, encodings: np.ndarray) -> None:
    for encoding in encodings[::97]:
        found = small.find(small.decode(small.choice(encoding)))
        np.testing.assert_array_equal(found, small.canonical(encoding))


@pytest.mark.parametrize(
    "change",
    [
        {"head": 32},
        {"resolution": 10},
        {"activation": "silu"},
        {"stages": REFERENCE.stages[:2]},
        {"stages": (*REFERENCE.stages[:2], Stage("conv", 3, 1, 16, 1))},
        {"stages": (*REFERENCE.stages[:2], Stage("conv", 3, 2, 12, 1))},
        {"stages": (*REFERENCE.stages[:2], Stage("conv", 7, 1, 12, 1))},
    ],
)
def test_other_networks_are_not_contained(small: StagedSpace, change: dict[str, object]) -> None:
    assert small.contains(REFERENCE.replace(name="its name does not matter"))
    assert not small.contains(REFERENCE.replace(**change))


@pytest.mark.parametrize(("label", "op"), [("conv", ("conv", 1)), ("mbconv6", ("mbconv", 6)), ("a2.5", ("a", 2.5))])
def test_op_labels(label: str, op: tuple[str, float]) -> None:
    assert split_op(label) == op


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"op": ("mbconv-6",)}, "'mbconv-6'"),
        ({"op": ("mbcnov6",)}, "'mbcnov'.*'mbconv'"),
        ({"kernel": (3, 4)}, "kernel.*4"),
        ({"channels": (8,)}, r"\(8,\)"),
    ],
)
def test_wrong_stage_choices_are_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        dataclasses.replace(STAGES[0], **change)


def test_strides_agree_with_the_reference() -> None:
    with pytest.raises(ValueError, match="other"):
        StagedSpace("other", STAGES[:2], REFERENCE)

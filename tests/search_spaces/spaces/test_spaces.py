"""The contract of `Space`: one conformance suite that runs over every kind of space."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest

from search_spaces.common.units import format_count
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch, Stage
from search_spaces.spaces.registry import SPACES as ROWS
from search_spaces.spaces.registry import space
from search_spaces.spaces.space import Space
from search_spaces.spaces.stage_choices import StageChoices
from search_spaces.spaces.staged import StagedSpace

SEED = 20


def table_row(choice: Any) -> tuple[Any, ...]:
    return tuple(choice.values())


def plain_arch(choice: Any) -> Arch:
    stages = (
        Stage("mbconv", choice["kernel"], 2, choice["channels"], choice["layers"], 3, skip=choice["skip"]),
        Stage("conv", 3, 1, 12, 1),
    )
    return Arch(stages=stages, stem=8, head=32, resolution=16, classes=10)


def two_stages() -> StagedSpace:
    """Few encodings, but every kind of equal networks: op and skip synonyms, and channels that round to the same."""
    first = StageChoices(
        stride=1,
        op=("sepconv", "mbconv1", "conv"),
        kernel=(3,),
        se=(0.0, 0.25),
        skip=("pool", "identity", "none"),
        filters=(0.75, 1.0, 1.5),
        layers=(1, 2),
        channels=(8, 8, 12),
    )
    second = StageChoices(
        stride=1,
        op=("mbconv1", "mbconv3"),
        kernel=(3, 5),
        se=(0.0,),
        skip=("none", "pool", "identity"),
        filters=(1.0, 1.5),
        layers=(1, 3),
        channels=(8, 12),
    )
    reference = Arch(
        stages=(Stage("sepconv", 3, 1, 8, 1), Stage("mbconv", 3, 1, 8, 1, 3)), stem=8, head=16, resolution=8, classes=4
    )
    return StagedSpace("two", (first, second), reference)


OWN = "outside_space:make"
SETTINGS: dict[str, dict[str, Any]] = {
    "efficientnetv2": {"resolution": 48, "width": 0.25, "classes": 10},
    OWN: {"resolution": 20, "classes": 7},
}
SPACES = {
    "table": lambda: Space("table", {"colour": ("red", "blue"), "size": (1, 2.5, None), "one": ("only",)}, table_row),
    "plain": lambda: Space(
        "plain",
        {"kernel": (3, 5), "channels": (8, 12), "layers": (1, 2), "skip": ("identity", "none", "pool")},
        plain_arch,
    ),
    "two": two_stages,
    **{name: partial(space, name, **SETTINGS.get(name, {})) for name in (*ROWS, OWN)},
    "mnasnet_a1": lambda: space("mnasnet", reference="mnasnet_a1", resolution=96, classes=10, divisor=8),
}
WITH_COSTS = [name for name in SPACES if name != "table"]


@pytest.fixture(params=SPACES, scope="module")
def any_space(request: pytest.FixtureRequest) -> Space:
    return SPACES[request.param]()


@pytest.fixture(params=WITH_COSTS, scope="module")
def cost_space(request: pytest.FixtureRequest) -> Space:
    return SPACES[request.param]()


def samples(any_space: Space, n: int) -> np.ndarray:
    return any_space.sample(np.random.default_rng(SEED), n)


def test_size_is_the_product_of_the_choices(any_space: Space) -> None:
    product = 1
    for values in any_space.choices.values():
        product *= len(values)
    assert any_space.size == product
    assert any_space.count() == product
    assert any_space.count().exact


def test_choice_and_encoding_are_inverse(any_space: Space) -> None:
    for encoding in samples(any_space, 20):
        choice = any_space.choice(encoding)
        assert list(choice) == list(any_space.choices)
        assert all(value in any_space.choices[name] for name, value in choice.items())
        np.testing.assert_array_equal(any_space.encode(choice), encoding)


def test_samples_are_seeded_and_cover_every_value(any_space: Space) -> None:
    drawn = samples(any_space, 500)
    assert drawn.shape == (500, len(any_space.choices))
    assert drawn.dtype == np.int64
    np.testing.assert_array_equal(drawn, samples(any_space, 500))
    for column, values in zip(drawn.T, any_space.choices.values(), strict=True):
        assert set(column) == set(range(len(values)))


def test_no_samples(any_space: Space) -> None:
    for of in ("encodings", "networks"):
        assert any_space.sample(np.random.default_rng(0), 0, of=of).shape == (0, len(any_space.choices))


def test_mutation_changes_exactly_one_choice(any_space: Space) -> None:
    rng = np.random.default_rng(SEED)
    (encoding,) = samples(any_space, 1)
    mutants = np.array([any_space.mutate(rng, encoding) for _ in range(400)])
    assert ((mutants != encoding).sum(axis=1) == 1).all()
    neighbours = {tuple(row) for row in any_space.neighbours(encoding)}
    assert {tuple(row) for row in mutants} <= neighbours


def test_neighbours_are_all_encodings_one_change_away(any_space: Space) -> None:
    (encoding,) = samples(any_space, 1)
    neighbours = any_space.neighbours(encoding)
    assert len(neighbours) == sum(len(values) - 1 for values in any_space.choices.values())
    assert ((neighbours != encoding).sum(axis=1) == 1).all()
    assert len({tuple(row) for row in neighbours}) == len(neighbours)


def test_canonical_keeps_the_network(any_space: Space) -> None:
    drawn = samples(any_space, 40)
    canonical = any_space.canonical(drawn)
    np.testing.assert_array_equal(any_space.canonical(canonical), canonical)
    np.testing.assert_array_equal(any_space.canonical(drawn[0]), canonical[0])
    for before, after in zip(drawn, canonical, strict=True):
        assert any_space.key(any_space.choice(before)) == any_space.key(any_space.choice(after))


def test_spaces_travel_to_other_processes(any_space: Space) -> None:
    copy = pickle.loads(pickle.dumps(any_space))
    np.testing.assert_array_equal(samples(copy, 3), samples(any_space, 3))
    choice = any_space.choice(samples(any_space, 1)[0])
    assert copy.decode(choice) == any_space.decode(choice)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda choice: choice.pop(next(iter(choice))), "none"),
        (lambda choice: choice.update(colour_of_the_moon=1), "'colour_of_the_moon'"),
        (lambda choice: choice.update({next(iter(choice)): "no such value"}), "'no such value'"),
    ],
)
def test_wrong_choices_are_named(any_space: Space, change: Any, named: str) -> None:
    choice = any_space.choice(samples(any_space, 1)[0])
    change(choice)
    with pytest.raises(ValueError, match=named):
        any_space.decode(choice)


def test_wrong_encodings_are_named(any_space: Space) -> None:
    good = samples(any_space, 2)
    for bad in (good + 99, good - 99, good[:, 1:], good + 0.5, good[None]):
        with pytest.raises(ValueError, match=any_space.name):
            any_space.choice(bad[0]) if bad.ndim < 3 else any_space.canonical(bad)


def test_of_is_checked(any_space: Space) -> None:
    with pytest.raises(ValueError, match="'archs'"):
        any_space.count(of="archs")  # type: ignore[arg-type]


def test_costs_are_the_walks(cost_space: Space) -> None:
    drawn = samples(cost_space, 60)
    costs = cost_space.costs(drawn)
    assert costs.macs.dtype == np.int64
    for row, encoding in enumerate(drawn):
        expected = cost(cost_space.decode(cost_space.choice(encoding)))
        assert (expected.params, expected.macs, expected.activations) == tuple(column[row] for column in costs)


def test_canonical_keeps_the_cost(cost_space: Space) -> None:
    drawn = samples(cost_space, 2000 if isinstance(cost_space, StagedSpace) else 20)
    for before, after in zip(cost_space.costs(drawn), cost_space.costs(cost_space.canonical(drawn)), strict=True):
        np.testing.assert_array_equal(before, after)


def test_bands_hold_what_they_say(cost_space: Space) -> None:
    low, high, _ = cost_space.reach("macs")
    band = (low + (high - low) // 5, low + (high - low) // 2)
    counts = {}
    for of in ("encodings", "networks"):
        drawn = cost_space.sample(np.random.default_rng(SEED), 200, macs=band, of=of)
        assert len(drawn) == 200
        macs = cost_space.costs(drawn).macs
        assert band[0] <= macs.min()
        assert macs.max() <= band[1]
        counts[of] = cost_space.count(macs=band, of=of)
        assert counts[of].of == of
        assert counts[of].upper <= 1.001 * counts[of].lower
    assert 0 < counts["networks"] <= counts["encodings"] < cost_space.size
    assert cost_space.count(macs=(low, high)) == cost_space.size
    assert cost_space.count(macs=(0, float("inf")), of="networks") == cost_space.networks


def test_bands_are_inclusive(cost_space: Space) -> None:
    low, high, _ = cost_space.reach("macs")
    for edge in (low, high):
        assert cost_space.count(macs=(edge, edge)) >= 1
        drawn = cost_space.sample(np.random.default_rng(SEED), 3, macs=(edge, edge))
        assert (cost_space.costs(drawn).macs == edge).all()


def test_an_empty_band_is_an_error_that_gives_the_range(cost_space: Space) -> None:
    low, high, _ = cost_space.reach("macs")
    assert cost_space.count(macs=(high + 1, 2 * high)) == 0
    with pytest.raises(ValueError, match=f"{format_count(low)}.*{format_count(high)}"):
        cost_space.sample(np.random.default_rng(SEED), 1, macs=(high + 1, 2 * high))
    with pytest.raises(ValueError, match=r"\(2, 1\)"):
        cost_space.count(macs=(2, 1))


def test_a_target_out_of_reach_is_named_with_the_range(cost_space: Space) -> None:
    low, high, _ = cost_space.reach("macs")
    cost_space.check_target(low)
    cost_space.check_target(high)
    for target in (low - 1, 5 * high):
        with pytest.raises(ValueError, match=f"--target-flops .*{cost_space.name}"):
            cost_space.check_target(target, "--target-flops")

"""Costs of many scaled forms as arrays, against the walk over each network on its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import search_spaces as ss
from search_spaces.networks.arch import SKIPS
from search_spaces.networks.registry import OPERATORS
from search_spaces.resizing.shapes import Shapes, channels_of, layers_of
from search_spaces.zoo.registry import names

SPACES = {name: ss.space(name) for name in ("small", "mnasnet")}
STAGES = st.builds(
    ss.Stage,
    op=st.sampled_from(list(OPERATORS)),
    kernel=st.sampled_from((1, 3, 5)),
    stride=st.integers(1, 3),
    channels=st.integers(1, 12),
    layers=st.integers(1, 3),
    se=st.sampled_from((0.0, 0.25, 1.0)),
    skip=st.sampled_from(SKIPS),
)
ANY = st.builds(
    ss.Arch,
    stages=st.lists(STAGES, min_size=1, max_size=4).map(tuple),
    stem=st.integers(1, 12),
    head=st.integers(0, 20),
    resolution=st.integers(1, 40),
    classes=st.integers(1, 12),
    stem_stride=st.integers(1, 3),
    in_channels=st.integers(1, 4),
    stem_kernel=st.sampled_from((1, 3, 7)),
    stem_pool=st.integers(1, 3),
)


@st.composite
def sampled(draw: st.DrawFn) -> ss.Arch:
    space = SPACES[draw(st.sampled_from(sorted(SPACES)))]
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    return space.decode(space.choice(space.sample(generator, 1)[0]))


@st.composite
def forms(draw: st.DrawFn, most: int = 5) -> Shapes:
    """Some scaled forms, of any sizes at all, of some baseline."""
    baseline = draw(sampled() | ANY | st.sampled_from(names()).map(ss.get))
    rows, stages = draw(st.integers(1, most)), len(baseline.stages)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    return Shapes(
        baseline,
        generator.integers(1, 300, (rows, len(baseline.widths))),
        generator.integers(1, 5, (rows, stages)),
        generator.integers(1, 300, rows),
    )


@settings(max_examples=60, deadline=None)
@given(forms())
def test_costs_are_those_of_each_network(shapes: Shapes) -> None:
    costs = [ss.cost(shapes.arch(row)) for row in range(len(shapes))]
    assert shapes.macs().tolist() == [cost.macs for cost in costs]
    assert shapes.params().tolist() == [cost.params for cost in costs]
    assert shapes.activations().tolist() == [cost.activations for cost in costs]


@pytest.mark.parametrize("name", names())
def test_published_networks_cost_what_they_cost(name: str) -> None:
    arch = ss.get(name)
    shapes = Shapes.of([arch], arch)
    expected = ss.cost(arch)
    assert [shapes.macs()[0], shapes.params()[0], shapes.activations()[0]] == [
        expected.macs,
        expected.params,
        expected.activations,
    ]


def test_the_published_family_as_forms_of_b0() -> None:
    family = [ss.get(f"efficientnet_b{index}") for index in range(8)]
    assert Shapes.of(family, family[0]).macs().tolist() == [ss.cost(arch).macs for arch in family]


@settings(deadline=None)
@given(forms())
def test_archs_and_back(shapes: Shapes) -> None:
    archs = [shapes.arch(row) for row in range(len(shapes))]
    assert [channels_of(arch) for arch in archs] == [tuple(row) for row in shapes.channels.tolist()]
    assert [layers_of(arch) for arch in archs] == [tuple(row) for row in shapes.layers.tolist()]
    again = Shapes.of(archs, shapes.baseline)
    assert [again.arch(row) for row in range(len(again))] == archs


def test_the_baseline_keeps_its_name_and_others_lose_it() -> None:
    b0, b1 = ss.get("efficientnet_b0"), ss.get("efficientnet_b1")
    shapes = Shapes.of([b0, b1], b0)
    assert shapes.arch(0) is b0 or shapes.arch(0) == b0
    assert shapes.arch(1) == b1.replace(name="")


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_distinct_networks_against_a_set_of_keys(seed: int, rows: int) -> None:
    baseline = ss.get("mobilenet_v2")
    generator = np.random.default_rng(seed)
    # Few values, so that many rows are alike.
    channels = np.tile(channels_of(baseline), (rows, 1)) + 8 * generator.integers(0, 2, (rows, 1))
    layers = np.tile(layers_of(baseline), (rows, 1)) + generator.integers(0, 2, (rows, 1))
    shapes = Shapes(baseline, channels, layers, 224 + 2 * generator.integers(0, 3, rows))
    first, place = shapes.distinct()
    keys = [shapes.arch(row).key for row in range(rows)]
    assert [keys[row] for row in first] == list(dict.fromkeys(keys))
    assert first.tolist() == [keys.index(key) for key in dict.fromkeys(keys)]
    assert [keys[first[index]] for index in place] == keys


def test_taking_rows() -> None:
    b0 = ss.get("efficientnet_b0")
    shapes = Shapes.of([ss.get(f"efficientnet_b{index}") for index in range(4)], b0)
    taken = shapes.take(np.array([3, 1]))
    assert len(taken) == 2
    assert [taken.arch(row) for row in range(2)] == [shapes.arch(3), shapes.arch(1)]

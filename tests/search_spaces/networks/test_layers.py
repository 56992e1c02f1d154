"""The walk, against hand arithmetic."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.blocks import Block, Layer
from search_spaces.networks.layers import structure, walk
from search_spaces.zoo.registry import get, names

# 9 px in, 5 after the stem, 3 after the stage: odd maps, so that rounding up shows.
TINY = Arch(
    stages=(Stage("mbconv", kernel=3, stride=2, channels=6, layers=1, expansion=3, se=0.25),),
    stem=4,
    head=10,
    resolution=9,
    classes=5,
)


def blocks(stage: Stage, stem: int = 4, resolution: int = 8) -> tuple[Block, ...]:
    arch = Arch(stages=(stage,), stem=stem, head=10, resolution=resolution, stem_stride=1)
    return structure(arch)[0][1:-1]


def test_a_convolution_s_cost_by_hand() -> None:
    layer = Layer("c", "conv", 4, 6, in_size=9, out_size=5, kernel=3, stride=2)
    assert (layer.params, layer.macs, layer.activations) == (9 * 4 * 6, 9 * 4 * 6 * 25, 6 * 25)


def test_groups_divide_and_biases_cost_no_multiply_add() -> None:
    layer = Layer("c", "conv", 8, 8, in_size=4, out_size=4, kernel=5, groups=8, bias=True)
    assert (layer.params, layer.macs) == (25 * 8 + 8, 25 * 8 * 16)


@pytest.mark.parametrize("kind", ["activation", "pool", "max_pool", "global_pool", "multiply", "add"])
def test_other_operations_cost_nothing(kind: str) -> None:
    layer = Layer("x", kind, 8, 8, in_size=4, out_size=4)
    assert (layer.params, layer.macs, layer.activations) == (0, 0, 0)


def test_a_batch_norm_has_two_parameters_a_channel() -> None:
    assert Layer("n", "norm", 8, 8, in_size=4, out_size=4).params == 16


def test_a_whole_network_by_hand() -> None:
    rows = [(layer.params, layer.macs, layer.activations) for layer in walk(TINY) if layer.kind in ("conv", "linear")]
    assert rows == [
        (3 * 4 * 9, 108 * 25, 100),  # stem, 9 to 5 px
        (4 * 12, 48 * 25, 300),  # expansion
        (9 * 12, 108 * 9, 108),  # depthwise, 5 to 3 px
        (12 * 1 + 1, 12, 1),  # SE squeezes to a quarter of the block's 4 input channels
        (12 * 1 + 12, 12, 12),
        (12 * 6, 72 * 9, 54),  # projection
        (6 * 10, 60 * 9, 90),  # head
        (10 * 5 + 5, 50, 5),
    ]
    norms = [layer.params for layer in walk(TINY) if layer.kind == "norm"]
    assert norms == [2 * 4, 2 * 12, 2 * 12, 2 * 6, 2 * 10]


@pytest.mark.parametrize(
    ("op", "expansion", "convs"),
    [
        ("conv", 1, ["conv"]),
        ("sepconv", 1, ["depthwise", "project"]),
        ("mbconv", 1, ["depthwise", "project"]),
        ("mbconv", 6, ["expand", "depthwise", "project"]),
        ("fused", 1, ["conv"]),
        ("fused", 4, ["expand", "project"]),
        ("dwsep", 1, ["depthwise", "pointwise"]),
        ("basic", 1, ["conv1", "conv2"]),
        ("bottleneck", 2, ["reduce", "conv", "expand"]),
    ],
)
def test_the_operators_convolutions(op: str, expansion: float, convs: list[str]) -> None:
    (block,) = blocks(Stage(op, kernel=3, stride=1, channels=6, layers=1, expansion=expansion))
    assert [layer.name.split(".")[-2] for layer in block.layers if layer.kind == "conv"] == convs


def test_projections_are_linear_and_all_else_is_activated() -> None:
    (block,) = blocks(Stage("mbconv", kernel=3, stride=1, channels=6, layers=1, expansion=6))
    assert [layer.function for layer in block.layers if layer.kind == "activation"] == ["relu", "relu"]
    assert block.layers[-1].kind == "norm"


def shortcut(block: Block) -> str:
    if not block.add:
        return "none"
    return "pool" if block.pool else "projection" if block.projection else "identity"


@pytest.mark.parametrize(
    ("skip", "stride", "channels", "shortcuts"),
    [
        ("identity", 1, 4, ["identity", "identity"]),
        ("identity", 2, 4, ["none", "identity"]),
        ("identity", 1, 6, ["none", "identity"]),
        ("pool", 2, 6, ["pool", "identity"]),
        ("pool", 1, 4, ["identity", "identity"]),
        ("none", 1, 4, ["none", "none"]),
        ("projection", 1, 4, ["identity", "identity"]),
        ("projection", 2, 4, ["projection", "identity"]),
        ("projection", 1, 6, ["projection", "identity"]),
    ],
)
def test_shortcuts(skip: str, stride: int, channels: int, shortcuts: list[str]) -> None:
    members = blocks(Stage("sepconv", kernel=3, stride=stride, channels=channels, layers=2, skip=skip))
    assert [shortcut(member) for member in members] == shortcuts


@pytest.mark.parametrize(("channels", "ratio", "squeezed"), [(3, 0.25, 1), (40, 0.25, 10), (100, 0.29, 29)])
def test_se_squeezes_from_the_block_s_input_channels_rounded_down(channels: int, ratio: float, squeezed: int) -> None:
    (block,) = blocks(Stage("mbconv", kernel=3, stride=1, channels=8, layers=1, expansion=6, se=ratio), stem=channels)
    assert [layer.out_channels for layer in block.layers if layer.name.endswith("squeeze")] == [squeezed]


@given(st.from_type(Arch))
def test_layers_follow_on_one_another_and_names_are_unique(arch: Arch) -> None:
    layers = walk(arch)
    assert len({layer.name for layer in layers}) == len(layers)
    inside = [layer for layer in layers if ".se." not in layer.name and ".shortcut." not in layer.name]
    trunk = [layer for layer in inside if layer.kind not in ("pool", "add")]
    for before, after in pairwise(trunk):
        assert (before.out_channels, before.out_size) == (after.in_channels, after.in_size)


@pytest.mark.parametrize("name", [name for name in names() if get(name).resolution >= 224])
def test_published_networks_end_in_maps_of_a_thirty_second(name: str) -> None:
    arch = get(name)
    assert structure(arch)[0][-1].out_size == -(-arch.resolution // 32)

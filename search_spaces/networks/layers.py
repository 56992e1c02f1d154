"""The walk: turns an Arch into blocks of layers with shapes. Both the cost model and the network builder use it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.blocks import Block, Classifier, Layer, activation_layer, conv_norm, max_pool
from search_spaces.networks.operators import Context
from search_spaces.networks.registry import operator

# Window size of the max pooling after a stem (ResNet).
POOL_KERNEL = 3
STEM = "stem"  # name of the first block


class Sections(NamedTuple):
    """A network's blocks: the stem, each stage's layers, the head's convolution (none or one), the classifier."""

    stem: Block
    stages: tuple[tuple[Block, ...], ...]
    head: tuple[Block, ...]
    classifier: Classifier


def walk(arch: Arch) -> tuple[Layer, ...]:
    """Every primitive layer of the network in the order of execution."""
    blocks, classifier = structure(arch)
    return tuple(chain.from_iterable(block.layers for block in blocks)) + classifier.layers


def structure(arch: Arch) -> tuple[tuple[Block, ...], Classifier]:
    """The network as blocks (stem, every stage's layers, the head if there is one) and the classifier."""
    stem, stages, head, classifier = sections(arch)
    return (stem, *chain.from_iterable(stages), *head), classifier


def sections(arch: Arch) -> Sections:
    """The network's blocks, stage by stage."""
    stem = stem_block(arch)
    size = stem.out_size
    stages = []
    for index, (stage, in_channels) in enumerate(arch.inputs(), start=1):
        stages.append(tuple(stage_blocks(stage, in_channels, size, arch.activation, f"stage{index}")))
        size = stages[-1][-1].out_size
    head, classifier = head_blocks(arch, arch.stages[-1].channels, size)
    return Sections(stem, tuple(stages), head, classifier)


def stem_block(arch: Arch) -> Block:
    """The convolution on the image, and the max pooling after it if there is one."""
    stride, activation = arch.stem_stride, arch.activation
    part = conv_norm(
        "stem",
        arch.in_channels,
        arch.stem,
        arch.resolution,
        kernel=arch.stem_kernel,
        stride=stride,
        activation=activation,
    )
    if arch.stem_pool == 1:
        return Block(STEM, (part,))
    pool = max_pool("stem.max_pool", arch.stem, part.out_size, kernel=POOL_KERNEL, stride=arch.stem_pool)
    return Block(STEM, (part, pool))


def stage_blocks(stage: Stage, in_channels: int, in_size: int, activation: str, name: str) -> Iterator[Block]:
    """The stage's layers, the first with its stride, on a map of `in_size` pixels a side with `in_channels`."""
    for index in range(stage.layers):
        stride = stage.stride if index == 0 else 1
        block = stage_layer(stage, Context(f"{name}.{index + 1}", in_channels, in_size, stride, activation))
        yield block
        in_channels, in_size = stage.channels, block.out_size


def stage_layer(stage: Stage, site: Context) -> Block:
    """One layer of a stage: its operator's parts, its shortcut, and the activation after the addition."""
    name, given, channels, stride = site.name, site.in_channels, stage.channels, site.stride
    row = operator(stage.op)
    parts = row.parts(stage, site)
    size = parts[-1].out_size
    end = None
    if row.activated_after:
        end = activation_layer(f"{name}.{site.activation}", channels, size, site.activation)
    add = Layer(f"{name}.add", "add", channels, channels, size, size)
    if stage.skip != "none" and stride == 1 and given == channels:
        return Block(name, parts, add=add, activation=end)
    if stage.skip == "projection":
        projection = conv_norm(f"{name}.shortcut", given, channels, site.in_size, kernel=1, stride=stride)
        return Block(name, parts, projection=projection, add=add, activation=end)
    if stage.skip == "pool":
        pool = Layer(f"{name}.skip_pool", "pool", given, channels, site.in_size, size, kernel=stride, stride=stride)
        return Block(name, parts, pool=pool, add=add, activation=end)
    return Block(name, parts, activation=end)


def head_blocks(arch: Arch, in_channels: int, in_size: int) -> tuple[tuple[Block, ...], Classifier]:
    """The 1x1 convolution if there is one, then pooling and the linear layer, on a map of `in_size` pixels a side."""
    blocks: tuple[Block, ...] = ()
    if arch.head:
        head = conv_norm("head", in_channels, arch.head, in_size, kernel=1, activation=arch.activation)
        blocks, in_channels = (Block("head", (head,)),), arch.head
    pool = Layer("head.pool", "global_pool", in_channels, in_channels, in_size, 1, kernel=in_size)
    linear = Layer("classifier", "linear", in_channels, arch.classes, 1, 1, bias=True)
    return blocks, Classifier(pool, linear)

"""THE walk: an Arch becomes blocks of layers with shapes. The cost model and the network builder both read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from search_spaces.arch import Arch, Stage
from search_spaces.parts import Block, Classifier, ConvNorm, Layer, Part, conv_norm, squeeze_excite


def walk(arch: Arch) -> tuple[Layer, ...]:
    """Every primitive layer of the network in the order of execution."""
    blocks, classifier = structure(arch)
    return tuple(chain.from_iterable(block.layers for block in blocks)) + classifier.layers


def structure(arch: Arch) -> tuple[tuple[Block, ...], Classifier]:
    """The network as blocks (stem, every stage's layers, the head's convolution) and the classifier."""
    blocks = [stem_block(arch)]
    for index, (stage, in_channels) in enumerate(arch.inputs(), start=1):
        blocks += stage_blocks(stage, in_channels, blocks[-1].out_size, arch.activation, f"stage{index}")
    head, classifier = head_blocks(arch, arch.stages[-1].channels, blocks[-1].out_size)
    return (*blocks, head), classifier


@dataclass(frozen=True, slots=True)
class Site:
    """Where an operator stands: its name, the map that enters, the stride it takes and the network's activation."""

    name: str
    in_channels: int
    in_size: int
    stride: int
    activation: str


def stem_block(arch: Arch) -> Block:
    """The 3x3 convolution on the image."""
    stride, activation = arch.stem_stride, arch.activation
    part = conv_norm(
        "stem", arch.in_channels, arch.stem, arch.resolution, kernel=3, stride=stride, activation=activation
    )
    return Block("stem", (part,))


def stage_blocks(stage: Stage, in_channels: int, in_size: int, activation: str, name: str) -> Iterator[Block]:
    """The stage's layers, the first with its stride, on a map of `in_size` pixels a side with `in_channels`."""
    for index in range(stage.layers):
        stride = stage.stride if index == 0 else 1
        block = stage_layer(stage, Site(f"{name}.{index + 1}", in_channels, in_size, stride, activation))
        yield block
        in_channels, in_size = stage.channels, block.out_size


def stage_layer(stage: Stage, site: Site) -> Block:
    """One layer of a stage: its operator's parts and its shortcut."""
    name, given, channels, stride = site.name, site.in_channels, stage.channels, site.stride
    parts = OPERATORS[stage.op](stage, site)
    size = parts[-1].out_size
    add = Layer(f"{name}.add", "add", channels, channels, size, size)
    if stage.skip != "none" and stride == 1 and given == channels:
        return Block(name, parts, add=add)
    if stage.skip == "pool":
        pool = Layer(f"{name}.skip_pool", "pool", given, channels, site.in_size, size, kernel=stride, stride=stride)
        return Block(name, parts, pool=pool, add=add)
    return Block(name, parts)


def head_blocks(arch: Arch, in_channels: int, in_size: int) -> tuple[Block, Classifier]:
    """The 1x1 convolution, then pooling and the linear layer, on a map of `in_size` pixels a side."""
    head = conv_norm("head", in_channels, arch.head, in_size, kernel=1, activation=arch.activation)
    pool = Layer("head.pool", "global_pool", arch.head, arch.head, in_size, 1, kernel=in_size)
    linear = Layer("classifier", "linear", arch.head, arch.classes, 1, 1, bias=True)
    return Block("head", (head,)), Classifier(pool, linear)


def _conv(stage: Stage, site: Site) -> tuple[Part, ...]:
    """A regular convolution, then SE if asked for."""
    conv = _spatial("conv", stage, site, site.in_channels, stage.channels)
    return (conv, *_stage_se(stage, site, conv))


def _sepconv(stage: Stage, site: Site) -> tuple[Part, ...]:
    """Depthwise convolution, SE if asked for, linear 1x1 projection (MnasNet's SepConv, MobileNetV2's first block)."""
    return _depthwise_separable(stage, site, site.in_channels)


def _mbconv(stage: Stage, site: Site) -> tuple[Part, ...]:
    """Mobile inverted bottleneck (MBV2): 1x1 expansion, depthwise convolution, SE, linear 1x1 projection."""
    hidden = round(site.in_channels * stage.expansion)
    rest = _depthwise_separable(stage, site, hidden)
    if stage.expansion == 1:
        return rest
    name = f"{site.name}.expand"
    return (conv_norm(name, site.in_channels, hidden, site.in_size, kernel=1, activation=site.activation), *rest)


def _depthwise_separable(stage: Stage, site: Site, hidden: int) -> tuple[Part, ...]:
    depthwise = _spatial("depthwise", stage, site, hidden, hidden, groups=hidden)
    project = conv_norm(f"{site.name}.project", hidden, stage.channels, depthwise.out_size, kernel=1)
    return (depthwise, *_stage_se(stage, site, depthwise), project)


def _spatial(part: str, stage: Stage, site: Site, in_channels: int, channels: int, *, groups: int = 1) -> ConvNorm:
    """The operator's one convolution with the stage's kernel and the site's stride."""
    name, kernel, stride = f"{site.name}.{part}", stage.kernel, site.stride
    activation = site.activation
    return conv_norm(
        name, in_channels, channels, site.in_size, kernel=kernel, stride=stride, groups=groups, activation=activation
    )


def _stage_se(stage: Stage, site: Site, before: ConvNorm) -> tuple[Part, ...]:
    if not stage.se:
        return ()
    # Rounded down, but not by a rounding error such as 100 * 0.29 = 28.999999999999996.
    squeezed = max(1, int(round(site.in_channels * stage.se, 9)))
    return (squeeze_excite(f"{site.name}.se", before.out_channels, squeezed, before.out_size, site.activation),)


OPERATORS: dict[str, Callable[[Stage, Site], tuple[Part, ...]]] = {
    "conv": _conv,
    "sepconv": _sepconv,
    "mbconv": _mbconv,
}

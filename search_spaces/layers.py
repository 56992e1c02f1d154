"""THE walk: an Arch becomes blocks of layers with shapes. The cost model and the network builder both read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from search_spaces.arch import Arch, Stage


@dataclass(frozen=True, slots=True)
class Layer:
    """One primitive operation on square maps.

    kind         conv, linear, norm (batch norm), activation, pool (average over a window as large as the stride),
                 global_pool (average over the whole map), multiply or add
    in_size      side of the input map in pixels; out_size of the output map (1 for linear)
    function     an activation's name; elsewhere empty
    """

    name: str
    kind: str
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    bias: bool = False
    function: str = ""

    @property
    def params(self) -> int:
        """Trainable parameters (a batch norm has a scale and a shift per channel)."""
        if self.kind == "norm":
            return 2 * self.out_channels
        return self._weights + self.out_channels * self.bias

    @property
    def macs(self) -> int:
        """Multiply-adds for one image: convolution and linear layers only, as the papers count "FLOPs"."""
        return self._weights * self.out_size**2

    @property
    def activations(self) -> int:
        """Elements of the output, counted for convolution and linear layers (as in RegNet and fvcore)."""
        return self.out_elements if self.kind in ("conv", "linear") else 0

    @property
    def in_elements(self) -> int:
        """Elements of the input map of one image."""
        return self.in_channels * self.in_size**2

    @property
    def out_elements(self) -> int:
        """Elements of the output map of one image, whatever the kind."""
        return self.out_channels * self.out_size**2

    @property
    def _weights(self) -> int:
        if self.kind not in ("conv", "linear"):
            return 0
        return self.kernel**2 * (self.in_channels // self.groups) * self.out_channels


@dataclass(frozen=True, slots=True)
class ConvNorm:
    """Convolution without bias, batch norm and, unless it is linear, an activation."""

    conv: Layer
    norm: Layer
    activation: Layer | None

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self.conv, self.norm) + ((self.activation,) if self.activation else ())

    @property
    def out_channels(self) -> int:
        return self.conv.out_channels

    @property
    def out_size(self) -> int:
        return self.conv.out_size


@dataclass(frozen=True, slots=True)
class SqueezeExcite:
    """Squeeze-and-excitation (SE): pooled, squeezed, activated, expanded, gated by a sigmoid, multiplied in."""

    pool: Layer
    squeeze: Layer
    activation: Layer
    excite: Layer
    gate: Layer
    multiply: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self.pool, self.squeeze, self.activation, self.excite, self.gate, self.multiply)

    @property
    def out_channels(self) -> int:
        return self.multiply.out_channels

    @property
    def out_size(self) -> int:
        return self.multiply.out_size


Part = ConvNorm | SqueezeExcite


@dataclass(frozen=True, slots=True)
class Block:
    """Parts in sequence and the shortcut around them: a pool layer, an identity, or none (`add` is None)."""

    name: str
    parts: tuple[Part, ...]
    pool: Layer | None = None
    add: Layer | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        shortcut = tuple(layer for layer in (self.pool, self.add) if layer)
        return tuple(chain.from_iterable(part.layers for part in self.parts)) + shortcut

    @property
    def out_size(self) -> int:
        return self.parts[-1].out_size


@dataclass(frozen=True, slots=True)
class Classifier:
    """Global average pooling and the linear layer."""

    pool: Layer
    linear: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self.pool, self.linear)


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


def stem_block(arch: Arch) -> Block:
    """The 3x3 convolution on the image."""
    name = "stem"
    part = conv_norm(name, arch.in_channels, arch.stem, arch.resolution, 3, arch.stem_stride, arch.activation)
    return Block(name, (part,))


def stage_blocks(stage: Stage, in_channels: int, in_size: int, activation: str, name: str) -> Iterator[Block]:
    """The stage's layers, the first with its stride, on a map of `in_size` pixels a side with `in_channels`."""
    for index in range(stage.layers):
        stride = stage.stride if index == 0 else 1
        block = stage_layer(stage, in_channels, in_size, stride, activation, f"{name}.{index + 1}")
        yield block
        in_channels, in_size = stage.channels, block.out_size


def stage_layer(stage: Stage, in_channels: int, in_size: int, stride: int, activation: str, name: str) -> Block:
    """One layer of a stage: its operator's parts and its shortcut."""
    parts = OPERATORS[stage.op](stage, in_channels, in_size, stride, activation, name)
    size, channels = parts[-1].out_size, stage.channels
    add = Layer(f"{name}.add", "add", channels, channels, size, size)
    if stage.skip != "none" and stride == 1 and in_channels == channels:
        return Block(name, parts, add=add)
    if stage.skip == "pool":
        pool = Layer(f"{name}.skip_pool", "pool", in_channels, channels, in_size, size, kernel=stride, stride=stride)
        return Block(name, parts, pool=pool, add=add)
    return Block(name, parts)


def head_blocks(arch: Arch, in_channels: int, in_size: int) -> tuple[Block, Classifier]:
    """The 1x1 convolution, then pooling and the linear layer, on a map of `in_size` pixels a side."""
    head = conv_norm("head", in_channels, arch.head, in_size, 1, 1, arch.activation)
    pool = Layer("head.pool", "global_pool", arch.head, arch.head, in_size, 1, kernel=in_size)
    linear = Layer("classifier", "linear", arch.head, arch.classes, 1, 1, bias=True)
    return Block("head", (head,)), Classifier(pool, linear)


def conv_norm(
    name: str, in_channels: int, channels: int, size: int, kernel: int, stride: int, activation: str, groups: int = 1
) -> ConvNorm:
    """A convolution padded by (kernel - 1) / 2, so that the map shrinks by exactly the stride, rounded up."""
    out = -(-size // stride)
    conv = Layer(f"{name}.conv", "conv", in_channels, channels, size, out, kernel, stride, groups)
    norm = Layer(f"{name}.norm", "norm", channels, channels, out, out)
    function = _activation(f"{name}.{activation}", channels, out, activation) if activation else None
    return ConvNorm(conv, norm, function)


def squeeze_excite(name: str, channels: int, squeezed: int, size: int, activation: str) -> SqueezeExcite:
    """SE over `channels` maps of `size` pixels a side, squeezed to `squeezed` channels; convolutions with biases."""
    return SqueezeExcite(
        Layer(f"{name}.pool", "global_pool", channels, channels, size, 1, kernel=size),
        Layer(f"{name}.squeeze", "conv", channels, squeezed, 1, 1, bias=True),
        _activation(f"{name}.{activation}", squeezed, 1, activation),
        Layer(f"{name}.excite", "conv", squeezed, channels, 1, 1, bias=True),
        _activation(f"{name}.sigmoid", channels, 1, "sigmoid"),
        Layer(f"{name}.multiply", "multiply", channels, channels, size, size),
    )


def _activation(name: str, channels: int, size: int, function: str) -> Layer:
    return Layer(name, "activation", channels, channels, size, size, function=function)


def _conv(stage: Stage, in_channels: int, size: int, stride: int, activation: str, name: str) -> tuple[Part, ...]:
    """A regular convolution, then SE if asked for."""
    conv = conv_norm(f"{name}.conv", in_channels, stage.channels, size, stage.kernel, stride, activation)
    return (conv, *_stage_se(stage, in_channels, conv, activation, name))


def _sepconv(stage: Stage, in_channels: int, size: int, stride: int, activation: str, name: str) -> tuple[Part, ...]:
    """Depthwise convolution, SE if asked for, linear 1x1 projection (MnasNet's SepConv, MobileNetV2's first block)."""
    return _depthwise_separable(stage, in_channels, in_channels, size, stride, activation, name)


def _mbconv(stage: Stage, in_channels: int, size: int, stride: int, activation: str, name: str) -> tuple[Part, ...]:
    """Mobile inverted bottleneck (MBV2): 1x1 expansion, depthwise convolution, SE, linear 1x1 projection."""
    hidden = round(in_channels * stage.expansion)
    rest = _depthwise_separable(stage, in_channels, hidden, size, stride, activation, name)
    if stage.expansion == 1:
        return rest
    return (conv_norm(f"{name}.expand", in_channels, hidden, size, 1, 1, activation), *rest)


def _depthwise_separable(
    stage: Stage, in_channels: int, hidden: int, size: int, stride: int, activation: str, name: str
) -> tuple[Part, ...]:
    depthwise = conv_norm(f"{name}.depthwise", hidden, hidden, size, stage.kernel, stride, activation, groups=hidden)
    se = _stage_se(stage, in_channels, depthwise, activation, name)
    project = conv_norm(f"{name}.project", hidden, stage.channels, depthwise.out_size, 1, 1, "")
    return (depthwise, *se, project)


def _stage_se(stage: Stage, in_channels: int, before: Part, activation: str, name: str) -> tuple[Part, ...]:
    if not stage.se:
        return ()
    # Rounded down, but not by a rounding error such as 100 * 0.29 = 28.999999999999996.
    squeezed = max(1, int(round(in_channels * stage.se, 9)))
    return (squeeze_excite(f"{name}.se", before.out_channels, squeezed, before.out_size, activation),)


Operator = Callable[[Stage, int, int, int, str, str], tuple[Part, ...]]
OPERATORS: dict[str, Operator] = {"conv": _conv, "sepconv": _sepconv, "mbconv": _mbconv}

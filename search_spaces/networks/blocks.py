"""Primitive layers with their shapes and costs, and the parts and blocks that they form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Layer:
    """One primitive operation on square maps.

    kind         conv, linear, norm (batch norm), activation, pool (average over a window as large as the stride),
                 max_pool (maximum over a padded window), global_pool (average over the whole map), multiply or add
    in_size      side of the input map in pixels; out_size of the output map (1 for linear)
    function     an activation's name; empty for other kinds
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
    """Convolution without bias, batch norm, and an activation if it is not linear."""

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


@dataclass(frozen=True, slots=True)
class MaxPool:
    """Max pooling with the padding of a convolution."""

    pool: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self.pool,)

    @property
    def out_channels(self) -> int:
        return self.pool.out_channels

    @property
    def out_size(self) -> int:
        return self.pool.out_size


Part = ConvNorm | SqueezeExcite | MaxPool


@dataclass(frozen=True, slots=True)
class Block:
    """Parts in sequence, the shortcut around them, and the activation of the result, if there is one.

    The shortcut is a pool layer, a projection, an identity, or none (`add` is None).
    """

    name: str
    parts: tuple[Part, ...]
    pool: Layer | None = None
    add: Layer | None = None
    projection: ConvNorm | None = None
    activation: Layer | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers in the order of execution."""
        projection = self.projection.layers if self.projection else ()
        end = (self.pool, *projection, self.add, self.activation)
        return (*chain.from_iterable(part.layers for part in self.parts), *(layer for layer in end if layer))

    @property
    def out_size(self) -> int:
        return self.parts[-1].out_size

    @property
    def stride(self) -> int:
        """Pixels a side of the input for one pixel of the output."""
        return math.prod(layer.stride for part in self.parts for layer in part.layers)


@dataclass(frozen=True, slots=True)
class Classifier:
    """Global average pooling and the linear layer."""

    pool: Layer
    linear: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self.pool, self.linear)


def conv_norm(
    name: str,
    in_channels: int,
    channels: int,
    size: int,
    *,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: str = "",
) -> ConvNorm:
    """A convolution padded by (kernel - 1) / 2, so that the map shrinks by exactly the stride, rounded up."""
    out = -(-size // stride)
    conv = Layer(f"{name}.conv", "conv", in_channels, channels, size, out, kernel, stride, groups)
    norm = Layer(f"{name}.norm", "norm", channels, channels, out, out)
    function = activation_layer(f"{name}.{activation}", channels, out, activation) if activation else None
    return ConvNorm(conv, norm, function)


def squeeze_excite(name: str, channels: int, squeezed: int, size: int, activation: str) -> SqueezeExcite:
    """SE over `channels` maps of `size` pixels a side, squeezed to `squeezed` channels; convolutions with biases."""
    return SqueezeExcite(
        Layer(f"{name}.pool", "global_pool", channels, channels, size, 1, kernel=size),
        Layer(f"{name}.squeeze", "conv", channels, squeezed, 1, 1, bias=True),
        activation_layer(f"{name}.{activation}", squeezed, 1, activation),
        Layer(f"{name}.excite", "conv", squeezed, channels, 1, 1, bias=True),
        activation_layer(f"{name}.sigmoid", channels, 1, "sigmoid"),
        Layer(f"{name}.multiply", "multiply", channels, channels, size, size),
    )


def max_pool(name: str, channels: int, size: int, *, kernel: int, stride: int) -> MaxPool:
    """Max pooling of `channels` maps of `size` pixels a side, padded by (kernel - 1) / 2."""
    return MaxPool(Layer(name, "max_pool", channels, channels, size, -(-size // stride), kernel, stride))


def activation_layer(name: str, channels: int, size: int, function: str) -> Layer:
    """The activation `function` on maps of `size` pixels a side."""
    return Layer(name, "activation", channels, channels, size, size, function=function)

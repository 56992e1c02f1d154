"""An Arch as a torch module, made of torchvision's blocks. Shapes come from the walk, never from the Arch itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import Conv2dNormActivation, SqueezeExcitation, StochasticDepth

from search_spaces.networks.arch import Arch
from search_spaces.networks.blocks import Block, Classifier, ConvNorm, Layer, MaxPool, Part
from search_spaces.networks.layers import sections

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
}


def build(arch: Arch, *, dropout: float = 0.0, stochastic_depth: float = 0.0) -> Network:
    """The network with fresh weights, drawn from torch's global generator as torchvision's MobileNetV2 draws them.

    On the meta device, whose tensors have no values, nothing is drawn.
    It maps float images [N, in_channels, H, W] to logits [N, classes]; H and W may differ from the arch's
    resolution. `dropout` is the probability before the linear layer. `stochastic_depth` is the drop probability that
    blocks with a shortcut reach at the network's end, rising linearly from 0 at the first block (arXiv 1603.09382).
    Raises ValueError for a probability outside 0 (inclusive) to 1 (exclusive).
    """
    _check_probability("dropout", dropout)
    _check_probability("stochastic_depth", stochastic_depth)
    network = Network(arch, dropout, stochastic_depth)
    if not next(network.parameters()).is_meta:
        initialise(network)
    return network


class Network(nn.Module):
    """Stem, stages and, if there is one, head as `features`, then `avgpool` and `classifier`.

    This is torchvision's layout of an EfficientNet. A stage's layer is `features[stage][layer]`, a `ShortcutBlock`.
    `arch` is the network as data.
    """

    def __init__(self, arch: Arch, dropout: float, stochastic_depth: float) -> None:
        super().__init__()
        self.arch = arch
        stem, layers, head, classifier = sections(arch)
        stages = _stages(layers, stochastic_depth, arch.norm_eps)
        self.features = nn.Sequential(
            _plain(stem, arch.norm_eps), *stages, *(_plain(block, arch.norm_eps) for block in head)
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = _classifier(classifier, dropout)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, in_channels, H, W] to logits [N, classes]."""
        logits: Tensor = self.classifier(torch.flatten(self.avgpool(self.features(images)), 1))
        return logits


class ShortcutBlock(nn.Module):
    """A block's parts in sequence, added to its shortcut and activated, if it has these.

    In training the parts may be dropped.
    """

    def __init__(self, block: Block, drop_rate: float, norm_eps: float) -> None:
        super().__init__()
        self.block = nn.Sequential(*(_part(part, norm_eps) for part in block.parts))
        self.shortcut = _shortcut(block, norm_eps)
        self.activation = _activation(block.activation) if block.activation else None
        self.stochastic_depth = StochasticDepth(drop_rate, "row")

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [N, C_in, H, W] to [N, C_out, H / stride, W / stride], rounded up."""
        result: Tensor = self.block(maps)
        if self.shortcut is not None:
            # Not in place: an activation before it may need its own output in the backward pass.
            result = self.shortcut(maps) + self.stochastic_depth(result)
        return result if self.activation is None else self.activation(result)


class PoolShortcut(nn.Module):
    """The parameter-free shortcut: average pooling by the stride, missing channels zero, surplus channels cut.

    A window that overhangs the map averages the pixels it holds.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.stride = layer.stride
        self.out_channels = layer.out_channels

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [N, C_in, H, W] to [N, C_out, H / stride, W / stride], rounded up."""
        if self.stride > 1:
            maps = functional.avg_pool2d(maps, self.stride, ceil_mode=True, count_include_pad=False)
        missing = self.out_channels - maps.shape[1]
        return functional.pad(maps, (0, 0, 0, 0, 0, missing)) if missing > 0 else maps[:, : self.out_channels]

    def extra_repr(self) -> str:
        return f"stride={self.stride}, out_channels={self.out_channels}"


def initialise(network: nn.Module) -> None:
    """Fresh weights in place: Kaiming normal by fan-out for convolutions, N(0, 0.01) for the linear layer."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.01)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _stages(stages: Sequence[Sequence[Block]], stochastic_depth: float, norm_eps: float) -> Iterator[nn.Sequential]:
    """Each stage's layers; the probability of dropping rises over the layers of all stages."""
    depth = sum(map(len, stages))
    rates = (stochastic_depth * index / depth for index in range(depth))
    for blocks in stages:
        yield nn.Sequential(*(ShortcutBlock(block, next(rates), norm_eps) for block in blocks))


def _plain(block: Block, norm_eps: float) -> nn.Module:
    """A block without shortcut (stem and head): the operations of its parts in one sequence."""
    first, *rest = (_part(part, norm_eps) for part in block.parts)
    return nn.Sequential(*first.children(), *rest) if rest else first


def _part(part: Part, norm_eps: float) -> nn.Module:
    if isinstance(part, ConvNorm):
        return _conv_norm(part, norm_eps)
    if isinstance(part, MaxPool):
        return nn.MaxPool2d(part.pool.kernel, part.pool.stride, padding=part.pool.kernel // 2)
    squeeze = part.squeeze
    activation = partial(_activation, part.activation)
    gate = partial(_activation, part.gate)
    block: nn.Module = SqueezeExcitation(squeeze.in_channels, squeeze.out_channels, activation, gate)
    return block


def _conv_norm(part: ConvNorm, norm_eps: float) -> nn.Module:
    conv = part.conv
    block: nn.Module = Conv2dNormActivation(
        conv.in_channels,
        conv.out_channels,
        kernel_size=conv.kernel,
        stride=conv.stride,
        groups=conv.groups,
        norm_layer=partial(nn.BatchNorm2d, eps=norm_eps),
        activation_layer=partial(_activation, part.activation) if part.activation else None,
        inplace=None,
        bias=conv.bias,
    )
    return block


def _activation(layer: Layer) -> nn.Module:
    kind = ACTIVATIONS[layer.function]
    # In place where torch offers it, to save memory; not the gate, whose output the multiplication needs.
    return kind() if layer.function in ("gelu", "sigmoid") else kind(inplace=True)


def _shortcut(block: Block, norm_eps: float) -> nn.Module | None:
    if block.add is None:
        return None
    if block.projection:
        return _conv_norm(block.projection, norm_eps)
    return nn.Identity() if block.pool is None else PoolShortcut(block.pool)


def _classifier(classifier: Classifier, dropout: float) -> nn.Sequential:
    linear = classifier.linear
    return nn.Sequential(
        nn.Dropout(dropout, inplace=True), nn.Linear(linear.in_channels, linear.out_channels, bias=linear.bias)
    )


def _check_probability(what: str, value: float) -> None:
    if not (math.isfinite(value) and 0 <= value < 1):
        raise ValueError(f"{what} must be a probability of at least 0 and below 1, got {value}")

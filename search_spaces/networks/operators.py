"""The operators: the parts of one layer of a stage, before its shortcut."""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.networks.arch import Stage
from search_spaces.networks.blocks import ConvNorm, Part, conv_norm, squeeze_excite


@dataclass(frozen=True, slots=True)
class Context:
    """The context of an operator: its name, input channels and size, stride, and the network's activation."""

    name: str
    in_channels: int
    in_size: int
    stride: int
    activation: str


def conv(stage: Stage, site: Context) -> tuple[Part, ...]:
    """A regular convolution, then SE if asked for."""
    only = _spatial("conv", stage, site, site.in_channels, stage.channels)
    return (only, *_stage_se(stage, site, only))


def sepconv(stage: Stage, site: Context) -> tuple[Part, ...]:
    """Depthwise convolution, SE if asked for, linear 1x1 projection (MnasNet's SepConv, MobileNetV2's first block)."""
    depthwise = _depthwise(stage, site, site.in_channels)
    return (*depthwise, _pointwise("project", stage, site, depthwise[-1]))


def dwsep(stage: Stage, site: Context) -> tuple[Part, ...]:
    """Depthwise convolution, SE if asked for, activated 1x1 convolution (MobileNetV1, arXiv 1704.04861, Figure 3)."""
    depthwise = _depthwise(stage, site, site.in_channels)
    return (*depthwise, _pointwise("pointwise", stage, site, depthwise[-1], activation=site.activation))


def mbconv(stage: Stage, site: Context) -> tuple[Part, ...]:
    """Mobile inverted bottleneck (MBV2): 1x1 expansion, depthwise convolution, SE, linear 1x1 projection."""
    if stage.expansion == 1:
        return sepconv(stage, site)
    hidden = round(site.in_channels * stage.expansion)
    name = f"{site.name}.expand"
    expand = conv_norm(name, site.in_channels, hidden, site.in_size, kernel=1, activation=site.activation)
    depthwise = _depthwise(stage, site, hidden)
    return (expand, *depthwise, _pointwise("project", stage, site, depthwise[-1]))


def fused(stage: Stage, site: Context) -> tuple[Part, ...]:
    """Fused-MBConv (V2, arXiv 2104.00298, Figure 2): a regular convolution expands, SE, linear 1x1 projection."""
    if stage.expansion == 1:
        return conv(stage, site)
    expand = _spatial("expand", stage, site, site.in_channels, round(site.in_channels * stage.expansion))
    parts = (expand, *_stage_se(stage, site, expand))
    return (*parts, _pointwise("project", stage, site, parts[-1]))


def basic(stage: Stage, site: Context) -> tuple[Part, ...]:
    """Two regular convolutions, the first activated, then SE (ResNet, arXiv 1512.03385, Figure 5 left)."""
    first = _spatial("conv1", stage, site, site.in_channels, stage.channels)
    name = f"{site.name}.conv2"
    second = conv_norm(name, stage.channels, stage.channels, first.out_size, kernel=stage.kernel)
    return (first, second, *_stage_se(stage, site, second))


def bottleneck(stage: Stage, site: Context) -> tuple[Part, ...]:
    """1x1 reduction, regular convolution, linear 1x1 expansion, then SE (ResNet, Figure 5 right).

    The regular convolution has the stride, as in torchvision's ("v1.5"); the paper's has it in the reduction.
    """
    hidden = max(1, round(stage.channels / stage.expansion))
    name, activation = f"{site.name}.reduce", site.activation
    reduce = conv_norm(name, site.in_channels, hidden, site.in_size, kernel=1, activation=activation)
    spatial = _spatial("conv", stage, site, hidden, hidden)
    expand = _pointwise("expand", stage, site, spatial)
    return (reduce, spatial, expand, *_stage_se(stage, site, expand))


def _depthwise(stage: Stage, site: Context, channels: int) -> tuple[Part, ...]:
    """The depthwise convolution, then SE if asked for."""
    depthwise = _spatial("depthwise", stage, site, channels, channels, groups=channels)
    return (depthwise, *_stage_se(stage, site, depthwise))


def _pointwise(part: str, stage: Stage, site: Context, before: Part, *, activation: str = "") -> ConvNorm:
    """The 1x1 convolution to the stage's channels; linear unless it has an activation."""
    name, channels = f"{site.name}.{part}", stage.channels
    return conv_norm(name, before.out_channels, channels, before.out_size, kernel=1, activation=activation)


def _spatial(part: str, stage: Stage, site: Context, in_channels: int, channels: int, *, groups: int = 1) -> ConvNorm:
    """The convolution with the stage's kernel and the site's stride, activated."""
    name, kernel, stride = f"{site.name}.{part}", stage.kernel, site.stride
    activation = site.activation
    return conv_norm(
        name, in_channels, channels, site.in_size, kernel=kernel, stride=stride, groups=groups, activation=activation
    )


def _stage_se(stage: Stage, site: Context, before: ConvNorm) -> tuple[Part, ...]:
    if not stage.se:
        return ()
    # Rounded down, but not by a rounding error such as 100 * 0.29 = 28.999999999999996.
    squeezed = max(1, int(round(site.in_channels * stage.se, 9)))
    return (squeeze_excite(f"{site.name}.se", before.out_channels, squeezed, before.out_size, site.activation),)

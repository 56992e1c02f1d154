"""The factorised hierarchical search space of MnasNet (arXiv 1807.11626, Section 3.1 and Figure 4)."""

from __future__ import annotations

import dataclasses

from search_spaces.common.suggest import nearest
from search_spaces.networks.arch import Arch, Stage
from search_spaces.resizing.stages import round_channels, scale_width
from search_spaces.spaces.stage_choices import StageChoices
from search_spaces.spaces.staged import StagedSpace
from search_spaces.zoo.efficientnet import B0
from search_spaces.zoo.mnasnet import MNASNET_A1
from search_spaces.zoo.mobilenet import MOBILENET_V2

OPS = ("conv", "sepconv", "mbconv3", "mbconv6")
KERNELS = (3, 5)
SE_RATIOS = (0.0, 0.25)
SKIPS = ("pool", "identity", "none")
FILTERS = (0.75, 1.0, 1.25)
REFERENCES = {"mobilenet_v2": MOBILENET_V2, "mnasnet_a1": MNASNET_A1, "efficientnet_b0": B0}
# MobileNetV2's shape for images of 28 to 64 px: three downsamplings instead of five, without the widest stage.
SMALL_REFERENCE = Arch(
    name="small",
    resolution=32,
    classes=10,
    stem=16,
    stem_stride=1,
    head=640,
    activation="relu6",
    stages=(
        Stage("sepconv", kernel=3, stride=1, channels=16, layers=1),
        Stage("mbconv", kernel=3, stride=1, channels=24, layers=2, expansion=6),
        Stage("mbconv", kernel=3, stride=2, channels=32, layers=3, expansion=6),
        Stage("mbconv", kernel=3, stride=2, channels=64, layers=3, expansion=6),
        Stage("mbconv", kernel=3, stride=1, channels=96, layers=2, expansion=6),
        Stage("mbconv", kernel=3, stride=2, channels=160, layers=2, expansion=6),
    ),
)


def mnasnet_space(
    *,
    reference: str = "mobilenet_v2",
    resolution: int = 224,
    classes: int = 1000,
    activation: str | None = None,
    width: float = 1.0,
    divisor: int = 1,
) -> StagedSpace:
    """Seven stages that each choose op, kernel, SE ratio, skip, filters (0.75, 1 or 1.25 times the reference's
    channels, rounded to multiples of `divisor`) and layers (one fewer, as many, or one more than the reference's; if
    it has one, 1 or 2, as in Google's released tunable MnasNet space). `width` first scales all the reference's widths.

    `reference` is mobilenet_v2, the paper's, mnasnet_a1 or efficientnet_b0. MnasNet-A1 (112 channels) and
    EfficientNet-B0 (112 and 192 channels) lie only in their own spaces. The default activation is the reference's.
    With the defaults there are 144^7 * 972 = 1.25e18 encodings (the paper's 10^13 is its example of five blocks).
    """
    if reference not in REFERENCES:
        raise ValueError(f"unknown reference '{reference}'{nearest(reference, REFERENCES)}")
    return _around(
        REFERENCES[reference],
        name="mnasnet",
        resolution=resolution,
        classes=classes,
        activation=activation,
        width=width,
        divisor=divisor,
    )


def small_space(
    *, resolution: int = 32, classes: int = 10, activation: str | None = None, width: float = 1.0, divisor: int = 1
) -> StagedSpace:
    """The same choices around a smaller network for images of 16 to 64 px: six stages, a stem of stride 1, three
    downsamplings (the last map is 4x4 at 28 and 32 px, 8x8 at 64 px), below 28 px only the first two of them.
    """
    last = SMALL_REFERENCE.stages[-1]
    stages = (*SMALL_REFERENCE.stages[:-1], dataclasses.replace(last, stride=1 if resolution < 28 else last.stride))
    return _around(
        SMALL_REFERENCE.replace(stages=stages),
        name="small",
        resolution=resolution,
        classes=classes,
        activation=activation,
        width=width,
        divisor=divisor,
    )


def _around(
    reference: Arch, *, name: str, resolution: int, classes: int, activation: str | None, width: float, divisor: int
) -> StagedSpace:
    """The space of stages like the reference's, with its stem, strides and head."""
    if divisor < 1:
        raise ValueError(f"divisor must be at least 1, got {divisor}")
    reference = scale_width(reference, width, divisor)
    frame = reference.replace(
        resolution=resolution, classes=classes, activation=reference.activation if activation is None else activation
    )
    return StagedSpace(name, [_stage_choices(stage, divisor) for stage in frame.stages], frame)


def _stage_choices(reference: Stage, divisor: int) -> StageChoices:
    return StageChoices(
        stride=reference.stride,
        op=OPS,
        kernel=KERNELS,
        se=SE_RATIOS,
        skip=SKIPS,
        filters=FILTERS,
        layers=tuple(layers for layers in range(reference.layers - 1, reference.layers + 2) if layers >= 1),
        channels=tuple(round_channels(reference.channels * factor, divisor) for factor in FILTERS),
    )

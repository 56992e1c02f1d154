"""The search space of EfficientNetV2's training-aware search (V2, arXiv 2104.00298, Section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Callable

from search_spaces.common.suggest import nearest
from search_spaces.networks.arch import Arch, Stage
from search_spaces.resizing.shrink import drop_strides
from search_spaces.resizing.stages import scale_width
from search_spaces.spaces.stage_choices import StageChoices
from search_spaces.spaces.staged import StagedSpace
from search_spaces.zoo import efficientnet, efficientnetv2

OPS = ("mbconv1", "mbconv4", "mbconv6", "fused1", "fused4", "fused6")
KERNELS = (3, 5)
SE_RATIO = 0.25
# The paper does not give the values of layers. S's depths, 2 4 4 6 9 15, are 1 to 1.9 times those of B4's first stages.
LAYERS = (0.5, 1.0, 1.5, 2.0)
BACKBONES: dict[str, Callable[[str], Arch]] = {
    **dict.fromkeys(("efficientnet_b4", "efficientnet_b0"), efficientnet.efficientnet),
    "efficientnetv2_b0": efficientnetv2.efficientnetv2,
    "efficientnetv2_s": lambda _: efficientnetv2.S,
}
REFERENCE = "efficientnet_b4"
# Early strides are dropped for smaller last maps, as in a proxy: a late kernel would see only padding.
MIN_MAP = 4


def efficientnetv2_space(
    *,
    reference: str = REFERENCE,
    resolution: int | None = None,
    classes: int = 1000,
    activation: str | None = None,
    width: float = 1.0,
    divisor: int = 8,
) -> StagedSpace:
    """Stages that each choose op with expansion (MBConv or Fused-MBConv, 1, 4 or 6), kernel (3, 5) and layers (0.5, 1,
    1.5 or 2 times the backbone's, rounded up). Channels, strides, stem and head are the backbone's, as in the paper,
    which reuses them; shortcuts are identities, never poolings. An MBConv has squeeze-and-excitation of 0.25, a
    Fused-MBConv none, as in the networks that the paper found: it is a choice of one value, named "stage1.se".

    `reference` is the backbone: efficientnet_b4, the paper's, efficientnet_b0, efficientnetv2_b0 or efficientnetv2_s.
    EfficientNetV2-S has other channels than the others, so only its own space holds it. The default resolution is the
    backbone's. Below 97 px early strides are dropped, so that the last map keeps 4 px a side or more. `width` scales
    the backbone's widths, rounded to multiples of `divisor`.
    """
    if reference not in BACKBONES:
        raise ValueError(f"unknown reference '{reference}'{nearest(reference, BACKBONES)}")
    backbone = scale_width(BACKBONES[reference](reference), width, divisor)
    frame = backbone.replace(classes=classes, name="", activation=activation or backbone.activation)
    if resolution is not None:
        frame = frame.replace(resolution=resolution)
    frame = _keep_min_map(frame)
    return StagedSpace("efficientnetv2", [_stage_choices(stage) for stage in frame.stages], frame)


def _keep_min_map(arch: Arch) -> Arch:
    """The arch without the early strides that would leave a last map below `MIN_MAP` pixels, or below the image."""
    return drop_strides(arch, min(MIN_MAP, arch.resolution))


def _stage_choices(backbone: Stage) -> StageChoices:
    layers = dict.fromkeys(math.ceil(backbone.layers * factor) for factor in LAYERS)
    return StageChoices(
        stride=backbone.stride,
        op=OPS,
        kernel=KERNELS,
        se=(SE_RATIO,),
        skip=("identity",),
        filters=(1.0,),
        layers=tuple(layers),
        channels=(backbone.channels,),
        unsqueezed=("fused",),
    )

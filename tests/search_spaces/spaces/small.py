"""A small staged space that has every kind of equal networks."""

from __future__ import annotations

from search_spaces.networks.arch import Arch, Stage
from search_spaces.spaces.stage_choices import StageChoices
from search_spaces.spaces.staged import StagedSpace

STAGES = (
    StageChoices(  # 16 options; two ops and, where a residual fits, two skips are the same; channels 8 come twice
        stride=1,
        op=("mbconv1", "sepconv"),
        kernel=(3,),
        se=(0.0,),
        skip=("pool", "identity"),
        filters=(0.9, 1.0),
        layers=(1, 2),
        channels=(8, 8),
    ),
    StageChoices(  # 24 options; with stride 2 and one layer, identity is none
        stride=2,
        op=("mbconv1", "mbconv3"),
        kernel=(5,),
        se=(0.25,),
        skip=("none", "identity", "pool"),
        filters=(1.0, 1.5),
        layers=(1, 2),
        channels=(8, 12),
    ),
    StageChoices(  # 12 options; a residual fits after 12 channels only
        stride=1,
        op=("conv",),
        kernel=(3, 5),
        se=(0.0, 0.25),
        skip=("identity", "pool", "none"),
        filters=(1.0,),
        layers=(1,),
        channels=(12,),
    ),
)
REFERENCE = Arch(
    stages=(Stage("sepconv", 3, 1, 8, 1), Stage("mbconv", 5, 2, 8, 1, 3, 0.25), Stage("conv", 3, 1, 12, 1)),
    stem=8,
    head=16,
    resolution=9,
    classes=3,
)
# By hand: stage 1 has 1 op x 1 skip x 2 depths; stage 2 has 2 ops x (2 skips at one layer + 3 at two) for each of two
# numbers of channels; stage 3 has 2 kernels x 2 SE ratios x 2 skips, whatever comes in.
NETWORKS = 2 * 2 * (2 + 3) * 2 * (2 * 2 * 2)


def small_staged_space() -> StagedSpace:
    """The space, of 4,608 encodings."""
    return StagedSpace("small", STAGES, REFERENCE)

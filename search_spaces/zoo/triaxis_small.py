"""A small baseline for images of 16 to 32 px, for scaling experiments: 1.04M multiply-adds, found by `nas.search`.

It is the winner of the search that docs/results.md describes (space small at half width, CIFAR-10 at 16 px, target 1M).
"""

from __future__ import annotations

from search_spaces.networks.arch import Arch, Stage

TRIAXIS_SMALL = Arch(
    name="triaxis_small",
    resolution=16,
    classes=10,
    stem=8,
    stem_stride=1,
    head=320,
    activation="relu6",
    stages=(
        Stage("sepconv", kernel=3, stride=1, channels=6, layers=1, se=0.25, skip="pool"),
        Stage("sepconv", kernel=5, stride=1, channels=15, layers=1, se=0.25, skip="pool"),
        Stage("sepconv", kernel=3, stride=2, channels=12, layers=2, skip="pool"),
        Stage("conv", kernel=3, stride=2, channels=32, layers=2, se=0.25, skip="pool"),
        Stage("sepconv", kernel=5, stride=1, channels=60, layers=3, skip="pool"),
        Stage("sepconv", kernel=3, stride=1, channels=60, layers=2),
    ),
)

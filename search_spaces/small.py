"""A small baseline for images of 16 to 32 px, to try scaling on: 1.26M multiply-adds, found by `nas.search`.

It is the winner of the search that docs/results.md describes (`--space small`, CIFAR-10 at 16 px, target 1.2M).
"""

from __future__ import annotations

from search_spaces.arch import Arch, Stage

TRIAXIS_SMALL = Arch(
    name="triaxis_small",
    resolution=16,
    classes=10,
    stem=16,
    stem_stride=1,
    head=640,
    activation="relu6",
    stages=(
        Stage("sepconv", kernel=3, stride=1, channels=16, layers=1, se=0.25, skip="none"),
        Stage("sepconv", kernel=3, stride=1, channels=18, layers=2, skip="pool"),
        Stage("sepconv", kernel=3, stride=2, channels=24, layers=2, se=0.25, skip="pool"),
        Stage("sepconv", kernel=5, stride=2, channels=48, layers=2, skip="pool"),
        Stage("sepconv", kernel=3, stride=1, channels=72, layers=1, se=0.25, skip="pool"),
        Stage("sepconv", kernel=3, stride=2, channels=160, layers=2, skip="none"),
    ),
)

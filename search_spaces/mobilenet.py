"""MobileNetV2 (MBV2, arXiv 1801.04381, Table 2)."""

from __future__ import annotations

from search_spaces.arch import Arch, Stage

MOBILENET_V2 = Arch(
    name="mobilenet_v2",
    resolution=224,
    stem=32,
    head=1280,
    activation="relu6",
    stages=(
        Stage("mbconv", kernel=3, stride=1, channels=16, layers=1, expansion=1),
        Stage("mbconv", kernel=3, stride=2, channels=24, layers=2, expansion=6),
        Stage("mbconv", kernel=3, stride=2, channels=32, layers=3, expansion=6),
        Stage("mbconv", kernel=3, stride=2, channels=64, layers=4, expansion=6),
        Stage("mbconv", kernel=3, stride=1, channels=96, layers=3, expansion=6),
        Stage("mbconv", kernel=3, stride=2, channels=160, layers=3, expansion=6),
        Stage("mbconv", kernel=3, stride=1, channels=320, layers=1, expansion=6),
    ),
)

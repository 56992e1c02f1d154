"""MobileNetV1 (arXiv 1704.04861, Table 1) and MobileNetV2 (MBV2, arXiv 1801.04381, Table 2)."""

from __future__ import annotations

from search_spaces.networks.arch import Arch, Stage

# The paper's ReLU; the authors' later code takes relu6. Without a head the last stage is pooled.
MOBILENET_V1 = Arch(
    name="mobilenet_v1",
    resolution=224,
    stem=32,
    head=0,
    activation="relu",
    stages=(
        Stage("dwsep", kernel=3, stride=1, channels=64, layers=1, skip="none"),
        Stage("dwsep", kernel=3, stride=2, channels=128, layers=2, skip="none"),
        Stage("dwsep", kernel=3, stride=2, channels=256, layers=2, skip="none"),
        Stage("dwsep", kernel=3, stride=2, channels=512, layers=6, skip="none"),
        Stage("dwsep", kernel=3, stride=2, channels=1024, layers=2, skip="none"),
    ),
)
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

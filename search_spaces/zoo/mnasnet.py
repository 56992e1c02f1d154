"""MnasNet-A1 and B1, the published networks (MnasNet, arXiv 1807.11626, Figure 7; B1 is the one without SE)."""

from __future__ import annotations

from search_spaces.networks.arch import Arch, Stage

# SE squeezes to 0.25 of the block's input channels, as the authors' code does.
MNASNET_A1 = Arch(
    name="mnasnet_a1",
    resolution=224,
    stem=32,
    head=1280,
    activation="relu",
    stages=(
        Stage("sepconv", kernel=3, stride=1, channels=16, layers=1),
        Stage("mbconv", kernel=3, stride=2, channels=24, layers=2, expansion=6),
        Stage("mbconv", kernel=5, stride=2, channels=40, layers=3, expansion=3, se=0.25),
        Stage("mbconv", kernel=3, stride=2, channels=80, layers=4, expansion=6),
        Stage("mbconv", kernel=3, stride=1, channels=112, layers=2, expansion=6, se=0.25),
        Stage("mbconv", kernel=5, stride=2, channels=160, layers=3, expansion=6, se=0.25),
        Stage("mbconv", kernel=3, stride=1, channels=320, layers=1, expansion=6),
    ),
)
MNASNET_B1 = Arch(
    name="mnasnet_b1",
    resolution=224,
    stem=32,
    head=1280,
    activation="relu",
    stages=(
        Stage("sepconv", kernel=3, stride=1, channels=16, layers=1),
        Stage("mbconv", kernel=3, stride=2, channels=24, layers=3, expansion=3),
        Stage("mbconv", kernel=5, stride=2, channels=40, layers=3, expansion=3),
        Stage("mbconv", kernel=5, stride=2, channels=80, layers=3, expansion=6),
        Stage("mbconv", kernel=3, stride=1, channels=96, layers=2, expansion=6),
        Stage("mbconv", kernel=5, stride=2, channels=192, layers=4, expansion=6),
        Stage("mbconv", kernel=3, stride=1, channels=320, layers=1, expansion=6),
    ),
)

"""EfficientNet B0 to B8 and L2: the published baseline and the published multipliers (EN, Tables 1 and 2)."""

from __future__ import annotations

from typing import NamedTuple

from search_spaces.networks.arch import Arch, Stage
from search_spaces.resizing.stages import scale_depth, scale_width

# EN Table 1; SE squeezes to 0.25 of the block's input channels.
B0 = Arch(
    name="efficientnet_b0",
    resolution=224,
    stem=32,
    head=1280,
    activation="silu",
    stages=(
        Stage("mbconv", kernel=3, stride=1, channels=16, layers=1, expansion=1, se=0.25),
        Stage("mbconv", kernel=3, stride=2, channels=24, layers=2, expansion=6, se=0.25),
        Stage("mbconv", kernel=5, stride=2, channels=40, layers=2, expansion=6, se=0.25),
        Stage("mbconv", kernel=3, stride=2, channels=80, layers=3, expansion=6, se=0.25),
        Stage("mbconv", kernel=5, stride=1, channels=112, layers=3, expansion=6, se=0.25),
        Stage("mbconv", kernel=5, stride=2, channels=192, layers=4, expansion=6, se=0.25),
        Stage("mbconv", kernel=3, stride=1, channels=320, layers=1, expansion=6, se=0.25),
    ),
)


class PublishedMultipliers(NamedTuple):
    """A published row: the scaling, the dropout of its training, and the epsilon of its released weights."""

    width: float
    depth: float
    resolution: int
    dropout: float
    norm_eps: float = 1e-5


# EN Table 2 and the authors' code. torchvision's weights of B5 to B7 were trained with epsilon 0.001.
PUBLISHED = {
    "efficientnet_b0": PublishedMultipliers(1.0, 1.0, 224, 0.2),
    "efficientnet_b1": PublishedMultipliers(1.0, 1.1, 240, 0.2),
    "efficientnet_b2": PublishedMultipliers(1.1, 1.2, 260, 0.3),
    "efficientnet_b3": PublishedMultipliers(1.2, 1.4, 300, 0.3),
    "efficientnet_b4": PublishedMultipliers(1.4, 1.8, 380, 0.4),
    "efficientnet_b5": PublishedMultipliers(1.6, 2.2, 456, 0.4, norm_eps=1e-3),
    "efficientnet_b6": PublishedMultipliers(1.8, 2.6, 528, 0.5, norm_eps=1e-3),
    "efficientnet_b7": PublishedMultipliers(2.0, 3.1, 600, 0.5, norm_eps=1e-3),
    "efficientnet_b8": PublishedMultipliers(2.2, 3.6, 672, 0.5, norm_eps=1e-3),
    "efficientnet_l2": PublishedMultipliers(4.3, 5.3, 800, 0.5, norm_eps=1e-3),
}


def efficientnet(name: str) -> Arch:
    """A published member of the family by name: B0 scaled by its row."""
    row = PUBLISHED[name]
    scaled = scale_depth(scale_width(B0, row.width), row.depth)
    return scaled.replace(name=name, resolution=row.resolution, norm_eps=row.norm_eps)

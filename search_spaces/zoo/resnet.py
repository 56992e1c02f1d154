"""ResNet-18 to 152 (arXiv 1512.03385, Table 1), with the stride in a bottleneck's 3x3 convolution as in torchvision."""

from __future__ import annotations

from search_spaces.networks.arch import Arch, Stage

# Channels of a stage's 3x3 convolutions; a bottleneck's output has four times as many.
WIDTHS = (64, 128, 256, 512)
EXPANSION = 4
# Operator, and layers of each stage.
PUBLISHED = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
    "resnet152": ("bottleneck", (3, 8, 36, 3)),
}


def resnet(name: str) -> Arch:
    """A published member of the family by name."""
    op, depths = PUBLISHED[name]
    expansion = EXPANSION if op == "bottleneck" else 1
    stages = tuple(
        Stage(
            op,
            kernel=3,
            stride=1 if index == 0 else 2,
            channels=width * expansion,
            layers=layers,
            expansion=expansion,
            skip="projection",
        )
        for index, (width, layers) in enumerate(zip(WIDTHS, depths, strict=True))
    )
    return Arch(stages, stem=64, head=0, resolution=224, activation="relu", name=name, stem_kernel=7, stem_pool=2)

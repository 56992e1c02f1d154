"""The studies of benchmarks/recipes: which networks, trained how, are compared with which.

Networks are the published ones at a quarter of their channels, early strides left out: a training takes minutes on one
thread, and each kind of block is there. EfficientNetV2-B0, at 0.6 of its layers, is the smallest with fused stages.
EfficientNet-B0 is what is ablated, whole, as all its blocks are depthwise and have SE, and nine have a residual for
stochastic depth to drop; its kernels are 3 unless said otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces.networks.arch import Arch
from search_spaces.resizing.shrink import shrink
from search_spaces.resizing.stages import scale_depth
from search_spaces.zoo.registry import get
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe

WIDTH, DIVISOR = 0.25, 4
# EN, section 5: survival 0.8. The rest is what this package trains small networks with.
RECIPE = get_recipe("standard").replace(stochastic_depth=0.2)


@dataclass(frozen=True)
class Arm:
    """One of the trainings that a study compares: a network, and what its recipe has other than the study's."""

    name: str
    arch: Arch
    changes: Mapping[str, Any] = field(default_factory=dict)

    def recipe(self, study: Recipe) -> Recipe:
        """How it is trained."""
        return study.replace(**self.changes)

    @property
    def key(self) -> str:
        """Names the training up to its seed, and its checkpoint's path: arms may train one network differently."""
        return f"{self.name.replace(' ', '-')}/{self.arch.key}"


@dataclass(frozen=True)
class Study:
    """Arms that are compared with the first of them, and how much they are trained.

    recipe  what arms train with but for their own changes
    images  training images of an epoch
    seeds   trainings of each arm
    timed   whether steps are timed: not where they change in the course of a training
    """

    arms: tuple[Arm, ...]
    recipe: Recipe
    images: int
    seeds: int
    timed: bool = True

    def __post_init__(self) -> None:
        for arm in self.arms:
            arm.recipe(self.recipe)  # raises where there are fewer epochs than stages


def progressive() -> Study:
    """ENv2's training of S (Table 6) with 32 px for its 300, from the same share of it on."""
    arch = small_v2()
    end = get_recipe("efficientnetv2_s")
    # On maps this small a larger batch costs less than its share: small images gain by it.
    recipe = RECIPE.replace(batch_size=64, epochs=10)
    fixed = recipe.replace(augment="randaugment", magnitude=end.magnitude, dropout=end.dropout)
    sizes = {"stages": end.stages, "start_size": 128 / 300}
    same = {"start_magnitude": end.magnitude, "start_dropout": end.dropout}
    grown = {"start_magnitude": end.start_magnitude, "start_dropout": end.start_dropout}
    arms = (
        Arm("progressive", arch, sizes | grown),
        Arm("images alone", arch, sizes | same),
        Arm("fixed size", arch),
    )
    return Study(arms, fixed, images=10_000, seeds=3, timed=False)


def fused() -> Study:
    """The same widths and layers; unfused with SE as V2's other MBConvs have it, and without: fusion alone."""
    arch = small_v2()
    arms = (Arm("fused", arch), Arm("unfused", unfused(arch, 0.0)), Arm("unfused with SE", unfused(arch, 0.25)))
    return Study(arms, RECIPE.replace(epochs=8), images=4500, seeds=6)


def ablations() -> Study:
    """Each part switched off alone, each kernel in all stages."""
    arch = stages_with(shrink(get("efficientnet_b0"), width=WIDTH, resolution=24, min_map=3, divisor=DIVISOR), kernel=3)
    off = {"label smoothing": "label_smoothing", "EMA": "ema_decay", "stochastic depth": "stochastic_depth"}
    arms = (
        Arm("all, kernel 3", arch),
        Arm("no squeeze-and-excitation", stages_with(arch, se=0.0)),
        *(Arm(f"no {name}", arch, {setting: 0.0}) for name, setting in off.items()),
        *(Arm(f"kernel {kernel}", stages_with(arch, kernel=kernel)) for kernel in (5, 7)),
    )
    return Study(arms, RECIPE.replace(epochs=10), images=2000, seeds=6)


def small_v2() -> Arch:
    """EfficientNetV2-B0 for 32 px: fused stages 1 to 3, of 1, 2 and 2 layers, MBConv in stages 4 to 6."""
    return shrink(scale_depth(get("efficientnetv2_b0"), 0.6), width=WIDTH, resolution=32, divisor=DIVISOR)


def unfused(arch: Arch, se: float) -> Arch:
    """The network with MBConv where it has Fused-MBConv."""
    stages = (dataclasses.replace(one, op="mbconv", se=se) if one.op == "fused" else one for one in arch.stages)
    return arch.replace(stages=tuple(stages))


def stages_with(arch: Arch, **changes: Any) -> Arch:
    """The network with some fields of all its stages changed."""
    return arch.replace(stages=tuple(dataclasses.replace(stage, **changes) for stage in arch.stages))


STUDIES: dict[str, Callable[[], Study]] = {"progressive": progressive, "fused": fused, "ablations": ablations}

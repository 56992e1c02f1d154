"""Progressive learning: stages in which images and regularisation grow together (ENv2, section 4.2, Algorithm 1).

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search_spaces.common.checks import as_flags
from search_spaces.networks.arch import Arch
from studies.trainer.recipe import Recipe


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """The epochs `first` <= epoch < `last` of a training, with their images and regularisation.

    resolution  side of the training images in pixels
    magnitude   strength of RandAugment, 0 to 30
    mixup       alpha of mixup; 0 is no mixup
    cutmix      alpha of cutmix; 0 is no cutmix
    dropout     probability of dropout before the last linear layer
    """

    first: int
    last: int
    resolution: int
    magnitude: float
    mixup: float
    cutmix: float
    dropout: float


def training_stages(recipe: Recipe, resolution: int, total_stride: int = 1) -> tuple[TrainingStage, ...]:
    """The recipe's stages for a network evaluated on images of `resolution` px. Ordinary training is one stage.

    Stage i of M (0 <= i < M) has S_i = S_0 + (S_e - S_0) * i / (M - 1) for its image size and each regularisation
    (ENv2, Algorithm 1), and an equal share of the epochs. Raises ValueError if a stage's images would be smaller
    than the network's total stride.
    """
    stages = tuple(_stage(recipe, resolution, index) for index in range(recipe.stages))
    for number, stage in enumerate(stages, start=1):
        if stage.resolution < total_stride:
            user = f"stage {number} of {len(stages)}" if len(stages) > 1 else "training"
            # If even images of full size are too small, no other recipe helps.
            other = ", or another --recipe" if resolution >= total_stride else ""
            raise ValueError(
                f"resolution {resolution} is too small: {user} would use images of {stage.resolution} px, below the "
                f"network's total stride of {total_stride}; use at least {_min_resolution(recipe, total_stride)}{other}"
            )
    return stages


def check_sizes(recipe: Recipe, arch: Arch, setting: str) -> None:
    """Raise ValueError, naming the flag of `setting`, if a stage's images are too small for the network."""
    with as_flags({"resolution": setting}):
        training_stages(recipe, arch.resolution, arch.total_stride)


def stage_at(stages: Sequence[TrainingStage], epoch: int) -> TrainingStage:
    """The stage that holds this epoch, counted from 0."""
    return next(stage for stage in stages if stage.first <= epoch < stage.last)


def last_stage_start(recipe: Recipe) -> int:
    """The first epoch of the recipe's last stage, counted from 0."""
    return recipe.epochs * (recipe.stages - 1) // recipe.stages


def _min_resolution(recipe: Recipe, total_stride: int) -> int:
    """The smallest resolution whose stages are all at least `total_stride` px."""
    share = recipe.size if recipe.stages == 1 else min(recipe.start_size, recipe.size)
    side = max(1, int((total_stride - 0.5) / share))
    while round(side * share) < total_stride:
        side += 1
    return side


def _stage(recipe: Recipe, resolution: int, index: int) -> TrainingStage:
    share = index / (recipe.stages - 1) if recipe.stages > 1 else 1.0

    def between(start: float, end: float) -> float:
        return start * (1 - share) + end * share

    return TrainingStage(
        first=recipe.epochs * index // recipe.stages,
        last=recipe.epochs * (index + 1) // recipe.stages,
        resolution=round(resolution * between(recipe.start_size, recipe.size)),
        magnitude=between(recipe.start_magnitude, recipe.magnitude),
        mixup=between(recipe.start_mixup, recipe.mixup),
        cutmix=between(recipe.start_cutmix, recipe.cutmix),
        dropout=between(recipe.start_dropout, recipe.dropout),
    )

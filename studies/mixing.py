"""Mixing the images of a batch, and their labels, with each other: torchvision's mixup and cutmix."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from studies.networks import classes_of
from studies.progressive import TrainingStage


def mixed(images: Tensor, labels: Tensor, stage: TrainingStage, model: nn.Module, seed: int) -> tuple[Tensor, Tensor]:
    """The batch as it is where the stage mixes nothing; else mixed, with labels [N, classes] of probabilities.

    Images are [N, 3, S, S], labels [N]; the classes are the model's. `seed` alone decides how: which of both methods,
    where the stage has two alphas, and how much of its neighbour in the batch each image takes.
    """
    kinds = [(kind, alpha) for kind, alpha in ((v2.MixUp, stage.mixup), (v2.CutMix, stage.cutmix)) if alpha]
    if not kinds:
        return images, labels
    methods = [kind(alpha=alpha, num_classes=classes_of(model)) for kind, alpha in kinds]
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would set the GPU's too, in the middle of a segment.
        torch.default_generator.manual_seed(seed)
        images, labels = v2.RandomChoice(methods)(images, labels)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return images.contiguous(memory_format=layout), labels

"""Augmentation: torchvision's policies image by image, and mixup and cutmix between the images of a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.transforms import v2

from studies.data.policies import MAX_MAGNITUDE

# ENv2's released code applies 2 operations; it and EN's fill what comes in from beyond an image's edge with this grey.
OPERATIONS = 2
GREY = 128


def policy(augment: str, magnitude: float) -> v2.Transform | None:
    """What happens to an image of bytes [1 or 3, H, W] beside crops and mirroring; None is nothing.

    `magnitude` is RandAugment's, 0 to 30, rounded to a whole number: torchvision has 31 of them.
    """
    if augment == "autoaugment":
        return v2.AutoAugment(fill=GREY)
    if augment == "randaugment":
        bins = MAX_MAGNITUDE + 1
        return v2.RandAugment(OPERATIONS, round(magnitude), num_magnitude_bins=bins, fill=GREY)
    return None


def apply_each(change: v2.Transform, pixels: Tensor, indices: Tensor, seed: int) -> Tensor:
    """The images of bytes [N, H, W, C] changed one by one, each by what `seed` and its index [N] alone draw."""
    images = []
    with torch.random.fork_rng(devices=[]):
        for image, index in zip(pixels.permute(0, 3, 1, 2), indices.tolist(), strict=True):
            # The CPU's generator alone: torch.manual_seed would set the GPU's too, in the middle of a segment.
            torch.default_generator.manual_seed(seed ^ index)
            images.append(change(image))
    return torch.stack(images).permute(0, 2, 3, 1)


def mixed(
    images: Tensor, labels: Tensor, *, mixup: float, cutmix: float, classes: int, seed: int
) -> tuple[Tensor, Tensor]:
    """A batch mixed by mixup and cutmix, with labels [N, classes] of probabilities.

    Images are [N, 3, S, S], labels [N]. `mixup` and `cutmix` are the alphas of the two methods; a method whose alpha is
    0 is not used, and without any the batch stays as it is. `seed` alone decides which of two methods is used and how
    much of its neighbour in the batch each image takes.
    """
    kinds = [(kind, alpha) for kind, alpha in ((v2.MixUp, mixup), (v2.CutMix, cutmix)) if alpha]
    if not kinds:
        return images, labels
    methods = [kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds]
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would set the GPU's too, in the middle of a segment.
        torch.default_generator.manual_seed(seed)
        images, labels = v2.RandomChoice(methods)(images, labels)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return images.contiguous(memory_format=layout), labels

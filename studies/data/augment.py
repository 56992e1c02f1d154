"""Augmentation: torchvision's policies image by image, and mixup and cutmix between the images of a batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.transforms import v2

from studies.data.policies import MAX_MAGNITUDE

# Operations that RandAugment applies to an image, as in EfficientNetV2's released code.
RANDAUGMENT_OPERATIONS = 2
# Grey value of pixels that an operation moves in from outside of the image, as in EfficientNet's released code.
FILL = 128


def policy(augment: str, magnitude: float) -> v2.Transform | None:
    """The random operations on an image of bytes [1 or 3, H, W], besides crops and mirroring; None if there are none.

    `augment` is one of AUGMENTS. `magnitude` is RandAugment's, 0 to MAX_MAGNITUDE, rounded to a whole number.
    """
    if augment == "autoaugment":
        return v2.AutoAugment(fill=FILL)
    if augment == "randaugment":
        bins = MAX_MAGNITUDE + 1
        return v2.RandAugment(RANDAUGMENT_OPERATIONS, round(magnitude), num_magnitude_bins=bins, fill=FILL)
    return None


def apply_each(change: v2.Transform, pixels: Tensor, indices: Tensor, seed: int) -> Tensor:
    """The images of bytes [N, H, W, C], changed one by one. The change depends on `seed` and the image's index alone.

    `indices` [N] are those of the images in their split.
    """
    images = []
    with torch.random.fork_rng(devices=[]):
        for image, index in zip(pixels.permute(0, 3, 1, 2), indices.tolist(), strict=True):
            _seed(seed ^ index)
            images.append(change(image))
    return torch.stack(images).permute(0, 2, 3, 1)


def mixed(
    images: Tensor, labels: Tensor, *, mixup: float, cutmix: float, classes: int, seed: int
) -> tuple[Tensor, Tensor]:
    """A batch mixed by mixup or cutmix: images [N, 3, S, S], and labels [N, classes] of probabilities.

    `images` are [N, 3, S, S], `labels` [N]. `mixup` and `cutmix` are the alphas of the two methods. A method with alpha
    0 is not used; without any the batch is returned as it is. `seed` alone decides which of two methods is used and how
    much of its neighbour in the batch each image takes.
    """
    alphas = ((v2.MixUp, mixup), (v2.CutMix, cutmix))
    methods = [method(alpha=alpha, num_classes=classes) for method, alpha in alphas if alpha]
    if not methods:
        return images, labels
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    with torch.random.fork_rng(devices=[]):
        _seed(seed)
        images, labels = v2.RandomChoice(methods)(images, labels)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return images.contiguous(memory_format=layout), labels


def _seed(seed: int) -> None:
    """Seed the CPU's generator alone: torch.manual_seed would seed the GPU's too, in the middle of a segment."""
    torch.default_generator.manual_seed(seed)

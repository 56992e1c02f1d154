"""The policies of random operations on single images, from torchvision."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.transforms import v2

from studies.recipe import MOST_MAGNITUDE

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
        bins = MOST_MAGNITUDE + 1
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

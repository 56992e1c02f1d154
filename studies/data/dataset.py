"""A data set, split for training, and how many of its images are held out for validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from studies.data.splits import Split

# By default at most this many images are held out: with more, the validation error would hardly be more certain.
MAX_VALIDATION = 10_000
# A fifth of the images is held out by default; with fewer images than these that would be none.
MIN_IMAGES = 5


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, split for training.

    Attributes:
        name: The name that was loaded: a row of the registry, or imagefolder:DIR.
        classes: Names of the classes, by label.
        resolution: Side of the images as stored, in pixels (image folders: 224).
        train: Training images without the validation part.
        validation: Images held out of the training images to evaluate on; stratified.
        test: Reads the test images (image folders: val/). Call it once, for the final figure.
        corrupt: Training files of an image folder that cannot be read and are left out.

    """

    name: str
    classes: tuple[str, ...]
    resolution: int
    train: Split
    validation: Split
    test: Callable[[], Split]
    corrupt: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for people: name, number of classes, and numbers of training and validation images."""
        return (
            f"{self.name}: {len(self.classes)} classes, {len(self.train):,} training "
            f"and {len(self.validation):,} validation images"
        )


def validation_count(asked: int | None, images: int) -> int:
    """The number of images that are held out of `images`: as asked, or a fifth. ValueError if a part would be empty."""
    if asked is None:
        if images < MIN_IMAGES:
            raise ValueError(
                f"at least {MIN_IMAGES} training images are needed, as a fifth is held out, got {images}: add images"
            )
        return min(images // 5, MAX_VALIDATION)
    if not 0 < asked < images:
        raise ValueError(f"validation images must be between 1 and {images - 1} here, got {asked}")
    return asked


def check_images(images: int, data: Dataset) -> None:
    """Raise ValueError if an epoch needs more training images than the data set has; 0 is all of them."""
    most, held_out = len(data.train), len(data.validation)
    if images > most:
        raise ValueError(
            f"--images {images} is more than the {most} training images of {data.name} ({held_out} others are held "
            f"out for validation): ask for at most {most}, or 0 for all of them"
        )

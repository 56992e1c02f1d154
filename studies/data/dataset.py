"""A data set as the trainer sees it, and how many of its images are held out for validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from studies.data.splits import Split

# At most this many images are held out: beyond, the validation error's own uncertainty no longer matters.
MAX_VALIDATION = 10_000


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set as a search sees it.

    Attributes:
        name: What `load` was asked for.
        classes: Names of the classes, by label.
        resolution: Side of the images as stored, in pixels (image folders: 224).
        train: Training images without the validation part.
        validation: The part of the training images held out to judge by; stratified.
        test: Reads the test images (image folders: val/). Call it once, for the final figure.
        corrupt: Training files of an image folder that cannot be read, and are left out.

    """

    name: str
    classes: tuple[str, ...]
    resolution: int
    train: Split
    validation: Split
    test: Callable[[], Split]
    corrupt: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for people: name, classes, and images of each part."""
        return (
            f"{self.name}: {len(self.classes)} classes, {len(self.train):,} training "
            f"and {len(self.validation):,} validation images"
        )


def validation_count(asked: int | None, images: int) -> int:
    """How many images are held out. ValueError where that leaves none to train on."""
    if asked is None:
        if images < 5:
            raise ValueError(
                f"{images} training images are too few: a fifth of them is held out, so at least 5 are needed"
            )
        return min(images // 5, MAX_VALIDATION)
    if not 0 < asked < images:
        raise ValueError(f"validation images must be between 1 and {images - 1} here, got {asked}")
    return asked


def check_images(images: int, data: Dataset) -> None:
    """Raise ValueError where an epoch is to have more training images than there are; 0 is all of them."""
    most, held_out = len(data.train), len(data.validation)
    if images > most:
        raise ValueError(
            f"--images {images} is more than the {most} training images of {data.name} ({held_out} others are held "
            f"out for validation): ask for at most {most}, or 0 for all of them"
        )

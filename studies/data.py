"""Data sets by name: training and validation images for searching, test images for the final figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from studies.datasets import check_dataset, folder_of
from studies.sources import Labelled, read_source
from studies.splits import Split, TensorSplit, stratified

# At most this many images are held out: beyond, the validation error's own uncertainty no longer matters.
MOST_VALIDATION = 10_000


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


def load(
    name: str,
    *,
    seed: int = 0,
    validation: int | None = None,
    root: str | Path = "data",
    corrupt: Sequence[str] | None = None,
) -> Dataset:
    """The data set of that name: fashion-mnist-mini (bundled), fashion-mnist, cifar10, cifar100 or imagefolder:DIR.

    `validation` images (by default a fifth, at most 10 000) are held out of the training images, stratified, the same
    ones for the same seed. `root` is where torchvision's data sets are kept and downloaded to. An image folder's
    training files are all decoded once to find corrupt ones, unless `corrupt` says which ones an earlier load found.
    Raises ValueError, in one line, for an unknown name, a folder without images, or data that cannot be downloaded.
    """
    check_dataset(name)
    folder = folder_of(name)
    if folder is not None:
        from studies.folders import load_folder

        return load_folder(name, folder, seed=seed, validation=validation, corrupt=corrupt)
    source = read_source(name, Path(root))
    images, labels = source.train
    held_out, rest = stratified(labels, validation_count(validation, len(labels)), seed)
    mean, std = _byte_statistics(images[rest])
    whole = TensorSplit(images, labels, mean, std)

    def test() -> Split:
        return _test_split(source.test(), mean, std)

    return Dataset(name, source.classes, images.shape[-1], whole.at(rest), whole.at(held_out), test)


def validation_count(asked: int | None, images: int) -> int:
    """How many images are held out. ValueError where that leaves none to train on."""
    if asked is None:
        if images < 5:
            raise ValueError(
                f"{images} training images are too few: a fifth of them is held out, so at least 5 are needed"
            )
        return min(images // 5, MOST_VALIDATION)
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


def _test_split(labelled: Labelled, mean: Tensor, std: Tensor) -> TensorSplit:
    return TensorSplit(*labelled, mean, std)


def _byte_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel [C], from histograms: exact, and no float copy of the images."""
    values = torch.arange(256, dtype=torch.float64)
    counts = torch.stack([images[:, channel].flatten().bincount(minlength=256) for channel in range(images.shape[1])])
    shares = counts.double() / counts.sum(1, keepdim=True)
    mean = shares @ values
    variance = shares @ values**2 - mean**2
    return mean.float(), variance.clamp_min(1e-6).sqrt().float()

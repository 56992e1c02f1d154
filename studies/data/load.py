"""Data sets by name: training and validation images for searching, test images for the final figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from studies.data.dataset import Dataset, validation_count
from studies.data.registry import check_dataset, folder_of
from studies.data.sources import Labelled, read_source
from studies.data.splits import Split, TensorSplit, stratified


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
        from studies.data.folders import load_folder

        return load_folder(name, folder, seed=seed, validation=validation, corrupt=corrupt)
    source = read_source(name, Path(root))
    images, labels = source.train
    held_out, rest = stratified(labels, validation_count(validation, len(labels)), seed)
    mean, std = _byte_statistics(images[rest])
    whole = TensorSplit(images, labels, mean, std)

    def test() -> Split:
        return _test_split(source.test(), mean, std)

    return Dataset(name, source.classes, images.shape[-1], whole.at(rest), whole.at(held_out), test)


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

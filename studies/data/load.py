"""Data sets by name, with training and validation images, and test images for the final figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from studies.data.config import DataConfig
from studies.data.dataset import Dataset, validation_count
from studies.data.registry import folder_of, read_source
from studies.data.splits import TensorSplit, stratified


def load(
    name: str,
    *,
    seed: int = 0,
    validation: int | None = None,
    root: str | Path = "data",
    corrupt: Sequence[str] | None = None,
) -> Dataset:
    """The data set of that name: a row of DATASETS, imagefolder:DIR, or a user's own module:name.

    Args:
        name: of the data set
        seed: decides which images are held out
        validation: images held out of the training images, stratified; by default a fifth, at most 10 000
        root: folder where data sets are kept and downloaded to
        corrupt: training files of an image folder that an earlier call found corrupt; by default all files are decoded
            once to find them

    Raises ValueError, in one line, for an unknown name, a folder without images, data that cannot be downloaded, or
    a user's reader that fails or breaks the contract of `ImageSource`.

    """
    folder = folder_of(name)
    if folder is not None:
        from studies.data.folders import load_folder

        return load_folder(name, folder, seed=seed, validation=validation, corrupt=corrupt)
    source = read_source(name, Path(root))
    images, labels = source.train
    held_out, rest = stratified(labels, validation_count(validation, len(labels)), seed)
    mean, std = _byte_statistics(images[rest])
    whole = TensorSplit(images, labels, mean, std)
    return Dataset(
        name,
        source.classes,
        resolution=images.shape[-1],
        train=whole.at(rest),
        validation=whole.at(held_out),
        test=lambda: TensorSplit(*source.test(), mean, std),
    )


def load_configured(config: DataConfig, *, seed: int, validation: int = 0) -> Dataset:
    """The data set that a configuration names, with `validation` images held out; 0 is the default number."""
    return load(config.dataset, seed=seed, validation=validation or None, root=config.root)


def _byte_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [C] of the channels of images [N, C, H, W], exact, without a float copy of them."""
    values = torch.arange(256, dtype=torch.float64)
    counts = torch.stack([images[:, channel].flatten().bincount(minlength=256) for channel in range(images.shape[1])])
    shares = counts.double() / counts.sum(1, keepdim=True)
    mean = shares @ values
    variance = shares @ values**2 - mean**2
    return mean.float(), variance.clamp_min(1e-6).sqrt().float()

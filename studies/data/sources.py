"""Readers of the data sets: from the bundled file, local copies or torchvision's downloads."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets

from studies.data.image_source import ImageSource, Labelled
from studies.data.registry import BUNDLED

BUNDLED_FILE = Path(__file__).with_name("fashion_mnist_mini.npz")
# Debian's package dataset-fashion-mnist.
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
MAX_REASON_LENGTH = 200


def read_bundled(_root: Path) -> ImageSource:
    """Fashion-MNIST's first 1000 training and 500 test images of each class, which are part of this package."""
    return ImageSource(FASHION_CLASSES, _read_bundled("train"), lambda: _read_bundled("test"))


def read_fashion_mnist(root: Path) -> ImageSource:
    """Fashion-MNIST (arXiv 1708.07747), 60 000 training and 10 000 test images, from its IDX files or downloaded."""
    for folder in (root, root / "fashion-mnist", root / "FashionMNIST" / "raw", DEBIAN_FASHION_MNIST):
        if (folder / "train-images-idx3-ubyte.gz").is_file():
            return ImageSource(
                FASHION_CLASSES, _read_idx_part(folder, "train"), partial(_read_idx_part, folder, "t10k")
            )
    return read_torchvision("fashion-mnist", datasets.FashionMNIST, root)


def read_cifar10(root: Path) -> ImageSource:
    """CIFAR-10 (Krizhevsky 2009), 50 000 training and 10 000 test images; downloaded if they are missing."""
    return read_torchvision("cifar10", datasets.CIFAR10, root)


def read_cifar100(root: Path) -> ImageSource:
    """CIFAR-100 (Krizhevsky 2009), 50 000 training and 10 000 test images; downloaded if they are missing."""
    return read_torchvision("cifar100", datasets.CIFAR100, root)


def read_torchvision(name: str, dataset: Callable[..., Any], root: Path) -> ImageSource:
    """The data set `name` from a class of `torchvision.datasets`, downloaded into `root` if it is missing there.

    Raises ValueError, in one line, if it cannot be downloaded.
    """

    def read(train: bool) -> tuple[tuple[str, ...], Labelled]:
        try:
            data = dataset(str(root), train=train, download=True)
        except (OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:MAX_REASON_LENGTH]
            raise ValueError(
                f"dataset {name} is not under {root} and cannot be downloaded ({reason}): "
                f"copy it there, or use {BUNDLED}, which is bundled"
            ) from None
        images = torch.as_tensor(data.data)
        images = images[:, None] if images.dim() == 3 else images.permute(0, 3, 1, 2).contiguous()
        return tuple(data.classes), (images, torch.as_tensor(data.targets).long())

    classes, train = read(True)
    return ImageSource(classes, train, lambda: read(False)[1])


def _read_bundled(part: str) -> Labelled:
    with np.load(BUNDLED_FILE, allow_pickle=False) as arrays:
        return (
            torch.from_numpy(arrays[f"{part}_images"])[:, None],
            torch.from_numpy(arrays[f"{part}_labels"]).long(),
        )


def _read_idx_part(folder: Path, part: str) -> Labelled:
    images = _read_idx(folder / f"{part}-images-idx3-ubyte.gz")[:, None]
    return images, _read_idx(folder / f"{part}-labels-idx1-ubyte.gz").long()


def _read_idx(path: Path) -> Tensor:
    """An IDX file of bytes: 4 bytes of magic (the last is the number of dimensions), big-endian sizes, the values."""
    try:
        raw = gzip.decompress(path.read_bytes())
        shape = [int(size) for size in np.frombuffer(raw, ">u4", raw[3], offset=4)]
        return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape).copy())
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise ValueError(f"cannot read {path}: {error}") from None

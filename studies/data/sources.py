"""Where the named data sets come from: the bundled file, local copies, torchvision's downloads."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from studies.data.registry import BUNDLED

BUNDLED_FILE = Path(__file__).with_name("fashion_mnist_mini.npz")
# Debian's package dataset-fashion-mnist.
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
Labelled = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class ImageSource:
    """A data set in memory: class names, training images (uint8 [N, C, H, W]) with their labels (int64 [N]).

    The test images are read only when `test` is called.
    """

    classes: tuple[str, ...]
    train: Labelled
    test: Callable[[], Labelled]


def read_source(name: str, root: Path) -> ImageSource:
    """The named data set, from `root` where it is not bundled. ValueError where it cannot be had."""
    if name == BUNDLED:
        return ImageSource(FASHION_CLASSES, _read_bundled("train"), lambda: _read_bundled("test"))
    if name == "fashion-mnist":
        for folder in (root, root / "fashion-mnist", root / "FashionMNIST" / "raw", DEBIAN_FASHION_MNIST):
            if (folder / "train-images-idx3-ubyte.gz").is_file():
                return _fashion_mnist(folder)
    return _torchvision(name, root)


def _read_bundled(part: str) -> Labelled:
    with np.load(BUNDLED_FILE, allow_pickle=False) as arrays:
        return (
            torch.from_numpy(arrays[f"{part}_images"])[:, None],
            torch.from_numpy(arrays[f"{part}_labels"]).long(),
        )


def _fashion_mnist(folder: Path) -> ImageSource:
    return ImageSource(FASHION_CLASSES, _read_idx_part(folder, "train"), lambda: _read_idx_part(folder, "t10k"))


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


def _torchvision(name: str, root: Path) -> ImageSource:
    from torchvision import datasets

    kind = {"fashion-mnist": datasets.FashionMNIST, "cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]

    def read(train: bool) -> tuple[tuple[str, ...], Labelled]:
        try:
            data = kind(str(root), train=train, download=True)
        except (OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(
                f"dataset {name} is not under {root} and cannot be downloaded ({reason}): "
                f"copy it there, or use {BUNDLED}, which is bundled"
            ) from None
        images = torch.as_tensor(data.data)
        images = images[:, None] if images.dim() == 3 else images.permute(0, 3, 1, 2).contiguous()
        return tuple(data.classes), (images, torch.as_tensor(data.targets).long())

    classes, train = read(True)
    return ImageSource(classes, train, lambda: read(False)[1])

"""Readers of the data sets: local files, and downloads that fail."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from studies.data.registry import read_source
from studies.data.sources import DEBIAN_FASHION_MNIST, FASHION_CLASSES, read_torchvision


def write_idx(path: Path, values: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """The format of yann.lecun.com/exdb/mnist: type 8 is bytes, sizes are big-endian."""
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))


@pytest.mark.parametrize("folder", [".", "fashion-mnist", "FashionMNIST/raw"])
def test_idx_files_are_found_and_read(folder: str, tmp_path: Path) -> None:
    home = tmp_path / folder
    home.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 3), ("t10k", 2)):
        write_idx(home / f"{part}-images-idx3-ubyte.gz", np.arange(count * 20, dtype=np.uint8).reshape(count, 5, 4))
        write_idx(home / f"{part}-labels-idx1-ubyte.gz", np.arange(7, 7 + count, dtype=np.uint8))
    source = read_source("fashion-mnist", tmp_path)
    images, labels = source.train
    assert torch.equal(images, torch.arange(60, dtype=torch.uint8).view(3, 1, 5, 4))
    assert (labels.dtype, labels.tolist()) == (torch.int64, [7, 8, 9])
    assert source.test()[1].tolist() == [7, 8]
    assert source.classes == FASHION_CLASSES


def test_the_bundled_images_are_those_of_the_original_files() -> None:
    if not DEBIAN_FASHION_MNIST.is_dir():
        pytest.skip("NOT RUN: the original files are not here")
    images, labels = read_source("fashion-mnist", Path("nowhere")).test()
    bundled_images, bundled_labels = read_source("fashion-mnist-mini", Path()).test()
    assert torch.equal(bundled_images[bundled_labels == 9], images[labels == 9][:500])


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"\0\0\x08\x03")[:-3], b"no archive", gzip.compress(b"\0")],
    ids=["cut off", "no archive", "too short"],
)
def test_a_broken_local_copy_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(ValueError, match="train-images-idx3-ubyte.gz"):
        read_source("fashion-mnist", tmp_path)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_torchvisions_images_get_their_channels_in_front(channels: tuple[int, ...], tmp_path: Path) -> None:
    def stored(root: str, *, train: bool, download: bool) -> SimpleNamespace:
        assert (root, download) == (str(tmp_path), True)
        data = np.zeros((4 if train else 2, 5, 6, *channels), np.uint8)
        data[1, 2, 3] = 9
        return SimpleNamespace(data=data, targets=list(range(len(data))), classes=["a", "b"])

    source = read_torchvision("some", stored, tmp_path)
    images, labels = source.train
    assert images.shape == (4, *(channels or (1,)), 5, 6)
    assert images[1, :, 2, 3].unique().tolist() == [9]
    assert (labels.dtype, labels.tolist(), source.classes) == (torch.int64, [0, 1, 2, 3], ("a", "b"))
    assert len(source.test()[0]) == 2


def test_data_that_cannot_be_downloaded_is_one_line(tmp_path: Path) -> None:
    def offline(*_: object, **__: object) -> NoReturn:
        raise OSError("no route\nto host")

    with pytest.raises(ValueError, match=str(tmp_path)) as caught:
        read_torchvision("cifar10", offline, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["fashion-mnist", "cifar10", "cifar100"])
def test_a_data_folder_that_cannot_be_made_is_named(name: str, tmp_path: Path) -> None:
    if name == "fashion-mnist" and DEBIAN_FASHION_MNIST.is_dir():
        pytest.skip("NOT RUN: the images are on this machine")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=name):
        read_source(name, tmp_path / "file" / "data")

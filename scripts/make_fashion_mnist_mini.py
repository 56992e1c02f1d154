"""Make studies/data/fashion_mnist_mini.npz, the bundled data set, from the original Fashion-MNIST files.

The four inputs are the IDX files as published (github.com/zalandoresearch/fashion-mnist, MIT licence; also Debian's
package dataset-fashion-mnist). Their SHA-256 sums are checked, the first 1 000 training and 500 test images of each
class are taken in file order, and the same bytes come out every time.

    python scripts/make_fashion_mnist_mini.py /usr/share/datasets/fashion-mnist studies/data/fashion_mnist_mini.npz
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHA256 = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
SOURCE = "Fashion-MNIST, (c) 2017 Zalando SE, MIT licence, https://github.com/zalandoresearch/fashion-mnist"


def read_idx(path: Path) -> NDArray[np.uint8]:
    """An IDX file of bytes as an array of the shape its header states. ValueError where the checksum differs."""
    packed = path.read_bytes()
    found = hashlib.sha256(packed).hexdigest()
    if found != SHA256[path.name]:
        raise ValueError(f"{path} is not the published file: SHA-256 {found}, expected {SHA256[path.name]}")
    raw = gzip.decompress(packed)
    dimensions = raw[3]
    shape = np.frombuffer(raw, ">u4", dimensions, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def first_of_each_class(labels: NDArray[np.uint8], count: int) -> NDArray[np.intp]:
    """Indices, ascending, of the first `count` images of every class."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(len(CLASSES))]))


def subset(folder: Path, part: str, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [count * 10, 28, 28] and labels of one part ("train" or "t10k")."""
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")
    chosen = first_of_each_class(labels, count)
    return read_idx(folder / f"{part}-images-idx3-ubyte.gz")[chosen], labels[chosen]


def main() -> None:
    """Read the folder of IDX files, write the one compressed file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds the four .gz files")
    parser.add_argument("output", type=Path, help="the .npz file to write")
    arguments = parser.parse_args()
    train_images, train_labels = subset(arguments.folder, "train", 1000)
    test_images, test_labels = subset(arguments.folder, "t10k", 500)
    temporary = arguments.output.with_suffix(".tmp.npz")
    np.savez_compressed(
        temporary,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        classes=np.array(CLASSES),
        source=np.array(SOURCE),
    )
    temporary.replace(arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

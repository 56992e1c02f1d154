"""The data sets by name, a row each, and what is known of a data set before its images are read.

Imports no torch, so that a command can refuse a misspelt name at once.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.common.lazy import resolve
from search_spaces.common.registry import Registry, Row

if TYPE_CHECKING:
    from studies.data.image_source import ImageSource

BUNDLED = "fashion-mnist-mini"
FOLDER_PREFIX = "imagefolder:"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})
# Files of an image folder whose sizes are read: at least so many if there are as many, and fewer than twice as many.
MIN_FILES_MEASURED = 200


@dataclass(frozen=True, kw_only=True)
class DatasetInfo(Row):
    """A data set's row. Its code is a reader: a function of the data folder (--data-root) that gives an `ImageSource`.

    classes  number of classes; 0 if that is known only once it was read
    pixels   side of its square images; 0 if that is known only once it was read
    folder   where torchvision keeps its copy, below the data folder; empty if it may lie elsewhere or is bundled
    """

    classes: int = 0
    pixels: int = 0
    folder: str = ""


def adopt(name: str, found: Any) -> DatasetInfo:
    """The row of a user's reader."""
    try:
        inspect.signature(found).bind(Path())
    except (TypeError, ValueError):
        raise ValueError("must be a function of one argument, the data folder, that returns an ImageSource") from None
    return DatasetInfo(name=name, code=name, label=name)


DATASETS = Registry(
    "dataset",
    [
        DatasetInfo(
            name=BUNDLED,
            code="studies.data.sources:read_bundled",
            label="1,000 training and 500 test images of each class of Fashion-MNIST, bundled",
            source="Xiao et al., arXiv 1708.07747",
            classes=10,
            pixels=28,
        ),
        DatasetInfo(
            name="fashion-mnist",
            code="studies.data.sources:read_fashion_mnist",
            label="grey photographs of clothes",
            source="Xiao et al., arXiv 1708.07747",
            classes=10,
            pixels=28,
        ),
        DatasetInfo(
            name="cifar10",
            code="studies.data.sources:read_cifar10",
            label="photographs of animals and vehicles",
            source="Krizhevsky 2009",
            classes=10,
            pixels=32,
            folder="cifar-10-batches-py",
        ),
        DatasetInfo(
            name="cifar100",
            code="studies.data.sources:read_cifar100",
            label="photographs of a hundred kinds of things",
            source="Krizhevsky 2009",
            classes=100,
            pixels=32,
            folder="cifar-100-python",
        ),
    ],
    adopt,
    forms=[f"{FOLDER_PREFIX}DIR"],
)


def read_source(name: str, root: str | Path) -> ImageSource:
    """A data set of the registry, or a user's own, downloaded into `root` if it is missing.

    Raises ValueError, in one line, if it cannot be read, and for a user's reader that fails or breaks the contract.
    """
    row = DATASETS.row(name)
    if DATASETS.is_own(name):
        return _own_source(row, Path(root).resolve())
    source: ImageSource = resolve(row.code)(Path(root))
    return source


@lru_cache(maxsize=1)
def _own_source(row: DatasetInfo, root: Path) -> ImageSource:
    """A user's data set, read once by a process: its numbers are asked for before its images."""
    from studies.data.image_source import read_own

    source = read_own(f"dataset {row.name}", row.load(), root)
    for what, stated, found in (
        ("classes", row.classes, len(source.classes)),
        ("pixels", row.pixels, source.train[0].shape[-1]),
    ):
        if stated not in (0, found):
            raise ValueError(f"dataset {row.name}: its row says {stated} {what}, its images have {found}")
    return source


def class_count(name: str, root: str | Path = "data") -> int:
    """The number of classes of a data set, without reading an image if its row knows it.

    `root` is the data folder, in which a user's data set is read. Raises ValueError for an unknown name, for a folder
    without images of at least two classes, and as `read_source`.
    """
    folder = folder_of(name)
    if folder is not None:
        return len(class_folders(train_folder(folder)))
    return DATASETS.row(name).classes or len(read_source(name, root).classes)


def native_pixels(name: str, root: str | Path = "data") -> int:
    """Side in pixels of a data set's images as they are stored; a network with a larger input sees nothing more.

    For an image folder it is the median shorter side of some files, spread evenly. Raises ValueError as `class_count`
    does, and if no file can be read.
    """
    folder = folder_of(name)
    if folder is None:
        return DATASETS.row(name).pixels or int(read_source(name, root).train[0].shape[-1])
    paths = [path for files in class_folders(train_folder(folder)).values() for path in files]
    sides = sorted(filter(None, map(_shorter_side, paths[:: max(1, len(paths) // MIN_FILES_MEASURED)])))
    if not sides:
        raise ValueError(f"image folder {folder} has no image that can be read: repair or replace its files")
    return sides[len(sides) // 2]


def folder_of(name: str) -> Path | None:
    """DIR of `imagefolder:DIR`; None for other names. Raises ValueError if DIR is no folder."""
    if not name.startswith(FOLDER_PREFIX):
        return None
    directory = name.removeprefix(FOLDER_PREFIX)
    if not directory:
        raise ValueError("dataset imagefolder: needs a folder, as in imagefolder:/data/flowers")
    folder = Path(directory)
    if not folder.is_dir():
        raise ValueError(f"image folder {folder} does not exist")
    return folder


def train_folder(folder: Path) -> Path:
    """The folder of the training classes: DIR/train in ImageNet's layout (with DIR/val), else DIR itself."""
    return folder / "train" if (folder / "train").is_dir() else folder


def class_folders(folder: Path) -> dict[str, list[Path]]:
    """The image files of each class, both sorted by name. Raises ValueError if fewer than two classes have any."""
    folders = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    found = {entry.name: sorted(path for path in entry.rglob("*") if _is_image(path)) for entry in folders}
    classes = {name: paths for name, paths in found.items() if paths}
    if not classes:
        raise ValueError(f"image folder {folder} has no images: it needs one folder per class with image files in it")
    if len(classes) < 2:
        raise ValueError(f"image folder {folder} has only the class '{next(iter(classes))}': training needs at least 2")
    return classes


def _shorter_side(path: Path) -> int:
    """In pixels; 0 for a file that is no image."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return min(image.size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES

"""The data sets by name, a row each, and what is known of a data set before its images are read.

Imports no torch, so that a command can refuse a misspelt name at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from search_spaces.common.suggest import nearest

BUNDLED = "fashion-mnist-mini"
FOLDER_PREFIX = "imagefolder:"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})
# Files of an image folder whose sizes are read: at least so many if there are as many, and fewer than twice as many.
MIN_FILES_MEASURED = 200


@dataclass(frozen=True)
class DatasetInfo:
    """A data set's row.

    code     "module:attribute" of its reader: a function of the data folder (--data-root) that returns an `ImageSource`
    classes  number of classes
    pixels   side of its square images
    folder   where torchvision keeps its copy, below the data folder; empty if it may lie elsewhere or is bundled
    """

    code: str
    classes: int
    pixels: int
    folder: str = ""


DATASETS = {
    BUNDLED: DatasetInfo("studies.data.sources:read_bundled", classes=10, pixels=28),
    "fashion-mnist": DatasetInfo("studies.data.sources:read_fashion_mnist", classes=10, pixels=28),
    "cifar10": DatasetInfo("studies.data.sources:read_cifar10", classes=10, pixels=32, folder="cifar-10-batches-py"),
    "cifar100": DatasetInfo("studies.data.sources:read_cifar100", classes=100, pixels=32, folder="cifar-100-python"),
}


def dataset_info(name: str) -> DatasetInfo:
    """The row of a data set. Raises ValueError, with the nearest name, if there is none."""
    if name not in DATASETS:
        raise ValueError(f"unknown dataset '{name}'{nearest(name, (*DATASETS, FOLDER_PREFIX + 'DIR'))}")
    return DATASETS[name]


def class_count(name: str) -> int:
    """The number of classes of a data set, without reading an image.

    Raises ValueError for an unknown name, and for a folder without images of at least two classes.
    """
    folder = folder_of(name)
    return dataset_info(name).classes if folder is None else len(class_folders(train_folder(folder)))


def native_pixels(name: str) -> int:
    """Side in pixels of a data set's images as they are stored; a network with a larger input sees nothing more.

    For an image folder it is the median shorter side of some files, spread evenly. Raises ValueError as `class_count`
    does, and if no file can be read.
    """
    folder = folder_of(name)
    if folder is None:
        return dataset_info(name).pixels
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

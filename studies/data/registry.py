"""The data sets that can be asked for by name, and what can be said about a name before anything is read.

Imports no torch, so that a command can refuse a misspelt name at once.
"""

from __future__ import annotations

from pathlib import Path

from search_spaces.common.suggest import nearest

BUNDLED = "fashion-mnist-mini"
PIXELS = {BUNDLED: 28, "fashion-mnist": 28, "cifar10": 32, "cifar100": 32}
# Image files whose sizes are looked at.
LOOKED_AT = 200
CLASSES = {BUNDLED: 10, "fashion-mnist": 10, "cifar10": 10, "cifar100": 100}
DATASETS = tuple(CLASSES)
FOLDER_PREFIX = "imagefolder:"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})


def check_dataset(name: str) -> None:
    """Raise ValueError, in one line, where `name` cannot be a data set: unknown, or a folder without images."""
    folder = folder_of(name)
    if folder is not None:
        class_folders(train_folder(folder))
    elif name not in DATASETS:
        raise ValueError(f"unknown dataset '{name}'{nearest(name, (*DATASETS, FOLDER_PREFIX + 'DIR'))}")


def class_count(name: str) -> int:
    """The number of classes of a data set, without reading an image. Raises ValueError as `check_dataset` does."""
    check_dataset(name)
    folder = folder_of(name)
    return CLASSES[name] if folder is None else len(class_folders(train_folder(folder)))


def native_pixels(name: str) -> int:
    """Side in pixels that the images of a data set have themselves; a larger input shows nothing more.

    Of an image folder the median shorter side of up to 200 files, spread evenly. Raises ValueError as `check_dataset`,
    and where no file can be read.
    """
    check_dataset(name)
    folder = folder_of(name)
    if folder is None:
        return PIXELS[name]
    paths = [path for files in class_folders(train_folder(folder)).values() for path in files]
    sides = sorted(filter(None, map(_shorter_side, paths[:: max(1, len(paths) // LOOKED_AT)])))
    if not sides:
        raise ValueError(f"image folder {folder} has no image that can be read")
    return sides[len(sides) // 2]


def folder_of(name: str) -> Path | None:
    """DIR of `imagefolder:DIR`; None for the other names."""
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
    """Where the training classes are: DIR/train in ImageNet's layout (DIR/val beside it), else DIR itself."""
    return folder / "train" if (folder / "train").is_dir() else folder


def class_folders(folder: Path) -> dict[str, list[Path]]:
    """The image files of each class, both sorted by name. ValueError where fewer than two classes have any."""
    folders = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    found = {entry.name: sorted(path for path in entry.rglob("*") if _is_image(path)) for entry in folders}
    classes = {name: paths for name, paths in found.items() if paths}
    if not classes:
        raise ValueError(f"image folder {folder} holds no images: expected one folder a class with image files in it")
    if len(classes) < 2:
        raise ValueError(f"image folder {folder} has the one class '{next(iter(classes))}': training needs at least 2")
    return classes


def _shorter_side(path: Path) -> int:
    """0 for a file that is no image."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return min(image.size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES

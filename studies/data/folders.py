"""Folders of image files as data sets: found, checked and split.

In ImageNet's layout, DIR/train/CLASS/... and DIR/val/CLASS/..., the val images are the test images, and the validation
images are held out of train. A folder of classes, DIR/CLASS/..., is split into all three parts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from studies.data.dataset import Dataset, validation_count
from studies.data.image_files import FileSplit, read_image
from studies.data.registry import class_folders, train_folder
from studies.data.splits import Split, stratified

log = logging.getLogger(__name__)
# Side in pixels that stands for the stored resolution of an image folder, whose files differ in size.
RESOLUTION = 224
# Share of the files that may be corrupt.
MAX_CORRUPT_SHARE = 0.01
# Corrupt files that a message names.
MAX_NAMED = 5


def load_folder(
    name: str, folder: Path, *, seed: int, validation: int | None, corrupt: Sequence[str] | None = None
) -> Dataset:
    """The data set of an image folder; see `studies.data.load.load`.

    Every training file is decoded once to find corrupt ones (JPEG at an eighth of its size), unless `corrupt` gives
    their paths. A warning names them, and they are left out. Raises ValueError if more than 1 % are corrupt, or if a
    part of the data set would be without images.
    """
    found = class_folders(train_folder(folder))
    classes = tuple(found)
    bad = _find_corrupt(found, folder) if corrupt is None else tuple(corrupt)
    everything = _files(found, classes, frozenset(bad))
    if train_folder(folder) != folder:
        _check_test_folder(folder / "val", classes)
        training, testing = everything, None
    else:
        training, testing = _split(everything, validation_count(None, len(everything)), seed)
    training, held_out = _split(training, validation_count(validation, len(training)), seed)

    def test() -> Split:
        if testing is not None:
            return testing
        found = class_folders(folder / "val")
        return _files(found, classes, frozenset(_find_corrupt(found, folder)))

    return Dataset(name, classes, RESOLUTION, training, held_out, test, bad)


def _split(whole: FileSplit, count: int, seed: int) -> tuple[FileSplit, FileSplit]:
    """The images without `count` of them that are held out, and those."""
    chosen, rest = stratified(whole.labels, count, seed)
    return whole.at(rest), whole.at(chosen)


def _check_test_folder(folder: Path, classes: Sequence[str]) -> None:
    """Raise ValueError unless val/ exists and all its classes are also in train/. Reads names, no images."""
    if not folder.is_dir():
        raise ValueError(f"image folder {folder} is missing: beside train/ it holds the test images")
    unknown = sorted(set(class_folders(folder)) - set(classes))
    if unknown:
        raise ValueError(f"image folder {folder} has class '{unknown[0]}', which train/ does not have: remove it")


def _files(found: dict[str, list[Path]], classes: Sequence[str], bad: frozenset[str]) -> FileSplit:
    """The files with their labels, without those in `bad`."""
    kept = [(str(path), label) for label, name in enumerate(classes) for path in found.get(name, [])]
    kept = [(path, label) for path, label in kept if path not in bad]
    return FileSplit(tuple(path for path, _ in kept), torch.tensor([label for _, label in kept]))


def _find_corrupt(found: dict[str, list[Path]], folder: Path) -> tuple[str, ...]:
    """The files that cannot be decoded. Logs a warning that names them; ValueError if there are too many."""
    paths = [path for files in found.values() for path in files]
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        good = list(pool.map(_is_readable, paths))
    corrupt = [path for path, readable in zip(paths, good, strict=True) if not readable]
    if corrupt:
        names = ", ".join(str(path.relative_to(folder)) for path in corrupt[:MAX_NAMED])
        more = f" and {len(corrupt) - MAX_NAMED} more" if len(corrupt) > MAX_NAMED else ""
        message = f"{len(corrupt)} of {len(paths)} images under {folder} cannot be read: {names}{more}"
        if len(corrupt) > MAX_CORRUPT_SHARE * len(paths):
            raise ValueError(f"{message}; at most {MAX_CORRUPT_SHARE:.0%} may be corrupt: repair or remove them")
        log.warning("%s; skipped", message)
    return tuple(str(path) for path in corrupt)


def _is_readable(path: Path) -> bool:
    try:
        read_image(str(path), at_least=1)
    except ValueError:
        return False
    return True

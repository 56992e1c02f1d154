"""A data set in memory, as the readers of data sets return it, and the check of what a user's own reader returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_spaces.common.user_code import called

Labelled = tuple[Tensor, Tensor]
"""Images of bytes [N, C, H, W] with their labels [N] (int64)."""


@dataclass(frozen=True)
class ImageSource:
    """A data set in memory. Images are square, of one size, with 3 channels (RGB) or 1 (grey).

    classes  names of the classes, by label; at least two
    train    training images of bytes [N, C, H, H] (uint8), 0 to 255, with their labels [N] (int64)
    test     reads the test images, which are of the same kind
    """

    classes: tuple[str, ...]
    train: Labelled
    test: Callable[[], Labelled]


def read_own(subject: str, reader: Callable[[Path], Any], root: Path) -> ImageSource:
    """What a user's reader returns for a data folder, if it is an `ImageSource` as its docstring says.

    `subject` begins errors, such as "dataset my_images:load". The test images are checked when they are read. Raises
    ValueError, in one line, if the reader fails or breaks the contract.
    """
    source: ImageSource = called(subject, reader, root)
    with _named(subject):
        _check_source(source)

    def test() -> Labelled:
        found = called(f"{subject}, test images", source.test)
        with _named(subject):
            _check_labelled(found, "test", len(source.classes))
            expected, shape = list(source.train[0].shape[1:]), list(found[0].shape[1:])
            if shape != expected:
                raise ValueError(f"test images must be as the training images, {expected}, got {shape}")
        return found[0], found[1]

    return dataclasses.replace(source, test=test)


@contextmanager
def _named(subject: str) -> Iterator[None]:
    """Begin the errors raised inside with a subject."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{subject}: {error}") from None


def _check_source(found: Any) -> None:
    if not isinstance(found, ImageSource):
        raise ValueError(f"must return an ImageSource (studies.data.image_source), got {_kind(found)}")
    if not isinstance(found.classes, tuple) or not all(isinstance(name, str) for name in found.classes):
        raise ValueError(f"classes must be a tuple of names, got {_kind(found.classes)}")
    if len(found.classes) < 2:
        raise ValueError(f"at least 2 classes are needed, got {len(found.classes)}")
    if not callable(found.test):
        raise ValueError(f"test must be a function that reads the test images, got {_kind(found.test)}")
    _check_labelled(found.train, "train", len(found.classes))


def _check_labelled(found: Any, part: str, classes: int) -> None:
    if not isinstance(found, tuple) or len(found) != 2 or not all(isinstance(one, Tensor) for one in found):
        raise ValueError(f"{part} must be two tensors, images and labels, got {_kind(found)}")
    images, labels = found
    if images.dtype != torch.uint8:
        raise ValueError(f"{part} images must be bytes (torch.uint8), got {images.dtype}")
    if images.dim() != 4 or images.shape[1] not in (1, 3) or images.shape[2] != images.shape[3] or 0 in images.shape:
        raise ValueError(f"{part} images must be [N, 1 or 3, side, side], got {list(images.shape)}")
    if labels.dtype != torch.int64 or labels.dim() != 1:
        raise ValueError(f"{part} labels must be [N] of torch.int64, got {list(labels.shape)} of {labels.dtype}")
    if len(labels) != len(images):
        raise ValueError(f"{part} must have a label for each image, got {len(images)} images and {len(labels)} labels")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(f"{part} labels must be 0 to {classes - 1}, one for each class, got {low} to {high}")


def _kind(found: Any) -> str:
    """The type of a value; of a tuple also those of its parts."""
    if isinstance(found, tuple):
        return f"a tuple of {', '.join(type(one).__name__ for one in found) or 'nothing'}"
    return type(found).__name__

"""Images for trainings that take no time: few, small and random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLASSES, PIXELS = 4, 28
COUNTS = {"train": 40, "val": 8}


@pytest.fixture(scope="session")
def write_images() -> Callable[[Path], None]:
    """A function that writes a folder of images, 40 training and 8 test images of each of 4 classes."""
    return _write_images


def _write_images(root: Path) -> None:
    rng = np.random.default_rng(0)
    for part, count in COUNTS.items():
        for label in range(CLASSES):
            folder = root / part / f"class{label}"
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 128, (PIXELS, PIXELS)) + 32 * label
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index}.png")

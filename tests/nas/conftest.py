"""Images for trainings that take no time: few, small and random."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

CLASSES, PIXELS = 10, 28
COUNTS = {"train": 16, "val": 2}


@pytest.fixture(scope="session")
def few_images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data set by name: 16 training and 2 test images of each of 10 classes."""
    root, rng = tmp_path_factory.mktemp("few_images"), np.random.default_rng(0)
    for part, count in COUNTS.items():
        for label in range(CLASSES):
            folder = root / part / f"class{label}"
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 128, (PIXELS, PIXELS)) + 12 * label
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index}.png")
    return f"imagefolder:{root}"

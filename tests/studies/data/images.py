"""Folders of images for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def folder_of_images(root: Path, classes: dict[str, int], size: tuple[int, int] = (40, 30)) -> Path:
    """PNG files whose grey value is their class's: 0, 60, 120, ..."""
    for label, (name, count) in enumerate(classes.items()):
        (root / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", size, (60 * label,) * 3).save(root / name / f"{number:03}.png")
    return root


def folder_of_noise(root: Path) -> Path:
    """Two classes of eight JPEG files of 110 x 90 pixels: too large to be kept in memory at 72 pixels."""
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for number in range(8):
            noise = np.random.default_rng(number).integers(0, 255, (90, 110, 3), dtype=np.uint8)
            Image.fromarray(noise).save(root / name / f"{number}.jpg")
    return root

"""Augmentation policies by name, and the limits of their settings. Imports nothing heavy."""

from __future__ import annotations

AUGMENTS = ("none", "crop-flip", "autoaugment", "randaugment")
# RandAugment's magnitudes are whole numbers from 0 to this.
MAX_MAGNITUDE = 30

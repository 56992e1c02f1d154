"""Data sets: names, image folders, splits, augmentation."""

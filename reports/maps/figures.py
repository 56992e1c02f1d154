"""Class activation maps side by side: a row a network, a column an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from reports.maps.cam import ActivationMap, Floats, enlarged
from reports.page.scales import plain

COLOURS = "inferno"
OPACITY = 0.6
MAX_LETTERS = 14


@dataclass(frozen=True)
class MapRow:
    """A network, `label` in words, and its activation map of each image."""

    label: str
    maps: Sequence[ActivationMap]


def class_maps(pictures: Floats, classes: Sequence[str], rows: Sequence[MapRow], axes: Sequence[Axes]) -> None:
    """The images [N, S, S, 3] with their true classes, and below them each network's maps and predictions."""
    grid = np.array(axes, dtype=object).reshape(len(rows) + 1, len(pictures))
    for ax, picture, name in zip(grid[0], pictures, classes, strict=True):
        _frame(ax, short_name(name))
        ax.imshow(picture)
    grid[0, 0].set_ylabel("image", fontsize=9)
    for line, row in zip(grid[1:], rows, strict=True):
        line[0].set_ylabel(plain(row.label).replace(" ", "\n", 1).replace(" x", "\nx"), fontsize=9)
        for ax, picture, name, seen in zip(line, pictures, classes, row.maps, strict=True):
            _frame(ax, verdict(seen.predicted, name))
            ax.imshow(picture.mean(2), cmap="gray", vmin=0, vmax=1)
            ax.imshow(enlarged(seen.map, len(picture)), cmap=COLOURS, alpha=OPACITY, vmin=0, vmax=1)


def verdict(predicted: str, true: str) -> str:
    """A prediction's title: right, or wrong and what it was taken for."""
    return "right" if predicted == true else f"wrong: {short_name(predicted)}"


def short_name(name: str) -> str:
    """A class's name, cut where it would not fit over an image."""
    return plain(name if len(name) <= MAX_LETTERS else f"{name[: MAX_LETTERS - 1]}…")


def _frame(ax: Axes, title: str) -> None:
    ax.set_title(title, fontsize=8.5, fontweight="normal", loc="center", pad=3)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)

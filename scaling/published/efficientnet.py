"""The networks that the paper scaled by one dimension and by all (EN, Tables 3 and 7), with their printed cost."""

from __future__ import annotations

from typing import NamedTuple

from search_spaces.resizing.compound import Multipliers

# The paper prints billions with one decimal.
DIGIT = 100_000_000
# MobileNetV1's and B0's; those of the compound rows of MobileNetV2 and ResNet-50 are not stated.
COMPOUND = Multipliers(1.4, 1.2, 1.3)
_ONE = Multipliers()
_DEPTH, _WIDTH, _RESOLUTION = Multipliers(depth=4), Multipliers(width=2), Multipliers(resolution=2)


class PublishedScaling(NamedTuple):
    """A row of the paper: multipliers of a baseline, and the FLOPs (multiply-adds) and ImageNet top-1 (%) it prints.

    `stated` is whether the paper says what the multipliers are.
    """

    table: int
    baseline: str
    multipliers: Multipliers
    macs: int
    top1: float
    stated: bool = True


def _rows(table: int, baseline: str, *rows: tuple[Multipliers, int, float, bool]) -> tuple[PublishedScaling, ...]:
    """Rows of one baseline: multipliers, FLOPs in the paper's last digit, top-1, whether it states the multipliers."""
    return tuple(
        PublishedScaling(table, baseline, asked, macs * DIGIT, top1, stated) for asked, macs, top1, stated in rows
    )


ROWS = (
    *_rows(
        3,
        "mobilenet_v1",
        (_ONE, 6, 70.6, True),
        (_WIDTH, 22, 74.2, True),
        (_RESOLUTION, 22, 72.7, True),
        (COMPOUND, 23, 75.6, True),
    ),
    *_rows(
        3,
        "mobilenet_v2",
        (_ONE, 3, 72.0, True),
        (_DEPTH, 12, 76.8, True),
        (_WIDTH, 11, 76.4, True),
        (_RESOLUTION, 12, 74.8, True),
        (COMPOUND, 13, 77.4, False),
    ),
    *_rows(
        3,
        "resnet50",
        (_ONE, 41, 76.0, True),
        (_DEPTH, 162, 78.1, True),
        (_WIDTH, 147, 77.7, True),
        (_RESOLUTION, 164, 77.5, True),
        (COMPOUND, 167, 78.8, False),
    ),
    *_rows(
        7,
        "efficientnet_b0",
        (_ONE, 4, 77.3, True),
        (_DEPTH, 18, 79.0, True),
        (_WIDTH, 18, 78.9, True),
        (_RESOLUTION, 19, 79.1, True),
        (COMPOUND, 18, 81.1, True),
    ),
)
TABLES = tuple(sorted({row.table for row in ROWS}))

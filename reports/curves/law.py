"""The fitted scaling law of a run of curves: its figure and its predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from reports.curves import figures as drawings
from reports.curves.data import Dot, baseline_of, largest, law_rows, strategies
from reports.page.content import Figure
from reports.reading.runs import RunData
from scaling.curves.conclusions import CurvesConclusions, describe_expectation
from scaling.curves.config import MIN_LAW_NETWORKS

if TYPE_CHECKING:
    from scaling.law.response import Response

PATH_POINTS = 25
# The figure extends to twice the cost of the largest network.
BEYOND = 2.0


def law_items(
    run: RunData, conclusions: CurvesConclusions | None, found: Sequence[Dot], prefix: str, suffix: str
) -> list[str | Figure]:
    """The law's figure and what it predicts; a sentence if the networks are too few for one."""
    from scaling.law.fit import fit_or_none

    start, lines = baseline_of(found), strategies(found)
    different = {dot.key for dot in found if not dot.upsampled}
    law = fit_or_none(law_rows(found)) if len(different) >= MIN_LAW_NETWORKS else None
    if law is None or start is None or not lines:
        return [
            f"{prefix}No scaling law was fitted: at least {MIN_LAW_NETWORKS} different networks are needed, there are "
            f"{len(different)}."
        ]
    pixels = run.result.get("pixels")
    limit = pixels / start.input_px if isinstance(pixels, int) and start.input_px > 0 else 1.0
    text = [
        *(conclusions.describe_prediction() if conclusions else ()),
        *describe_expectation(law, BEYOND * max(1.0, largest(found)), limit),
    ]
    predicted = {one.curve: one.predicted for one in conclusions.predicted} if conclusions else {}
    return [_figure(law, start, lines, predicted, prefix, suffix), *(prefix + line for line in text)]


def _figure(
    law: Response,
    start: Dot,
    lines: Mapping[str, Sequence[Dot]],
    predicted: Mapping[str, float],
    prefix: str,
    suffix: str,
) -> Figure:
    paths = {name: path(law, start, line[-1]) for name, line in lines.items() if line[-1].multiple > 1}
    columns = min(3, len(paths))
    rows = -(-len(paths) // columns)
    crosses = " Crosses: the largest networks, predicted by a law fitted to the smaller ones alone." * bool(predicted)
    return Figure(
        f"law{suffix}",
        f"{prefix}The fitted law",
        f"Accuracy as a smooth function of depth, width and resolution, fitted to all networks that are not upsampled "
        f"({law.form} fits best), along each strategy. Band: 95 % interval of such a network's accuracy. Dotted: "
        f"outside what was measured.{crosses}",
        f"A panel for each of {', '.join(paths)}: networks, and the fitted law with its band, against multiply-adds.",
        partial(drawings.law, paths, lines, predicted),
        (rows, columns),
        (3.3 * columns, 2.9 * rows + 0.3),
    )


def path(law: Response, start: Dot, end: Dot) -> drawings.Path:
    """The law along the nominal growth from the baseline to `end`, and on to twice its cost."""
    macs, found = [], []
    for multiple in np.geomspace(1, BEYOND * end.multiple, PATH_POINTS).tolist():
        share = math.log(multiple) / math.log(end.multiple)
        depth, width, resolution = (float(value**share) for value in end.asked)
        macs.append(start.metrics["macs"] * multiple)
        found.append(law.predict(depth, width, resolution))
    return drawings.Path(
        macs,
        [one.mean for one in found],
        [one.lower for one in found],
        [one.upper for one in found],
        [not one.extrapolating for one in found],
    )

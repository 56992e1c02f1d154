"""The fitted scaling law of a run of curves: its figure, and what it foretells in words."""

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

if TYPE_CHECKING:
    from scaling.law.response import Response

# As scaling.curves_answer: different networks that a law is fitted to, at least.
ENOUGH = 5
STEPS = 25
BEYOND = 2.0


def law_items(run: RunData, found: Sequence[Dot], prefix: str, suffix: str) -> list[str | Figure]:
    """The law's figure and what it says; a sentence where the networks are too few for one."""
    from scaling.law.fit import fit_or_none

    start, lines = baseline_of(found), strategies(found)
    different = {dot.key for dot in found if not dot.upsampled}
    law = fit_or_none(law_rows(found)) if len(different) >= ENOUGH else None
    if law is None or start is None or not lines:
        return [f"{prefix}No scaling law was fitted: it takes {ENOUGH} different networks, there are {len(different)}."]
    figure = _figure(run, law, start, lines, prefix, suffix)
    return [figure, *(prefix + line for line in (*_foretold(run), *_beyond(run, law, start, found)))]


def _figure(
    run: RunData, law: Response, start: Dot, lines: Mapping[str, Sequence[Dot]], prefix: str, suffix: str
) -> Figure:
    paths = {name: path(law, start, line[-1]) for name, line in lines.items() if line[-1].multiple > 1}
    foretold = {
        str(one["curve"]): float(one["predicted"])
        for one in _listed(run.result.get("foretold"))
        if isinstance(one.get("predicted"), int | float)
    }
    columns = min(3, len(paths))
    rows = -(-len(paths) // columns)
    crosses = " Crosses: the largest networks, foretold by a law fitted to the smaller ones alone." * bool(foretold)
    return Figure(
        f"law{suffix}",
        f"{prefix}The fitted law",
        f"Accuracy as a smooth function of depth, width and resolution, fitted to all networks that are not upsampled "
        f"({law.form} fits best), along each strategy. Band: where such a network, trained so, lies with 95 % "
        f"confidence. Dotted: outside what was measured.{crosses}",
        f"A panel for each of {', '.join(paths)}: networks, and the fitted law with its band, against multiply-adds.",
        partial(drawings.law, paths, lines, foretold),
        (rows, columns),
        (3.3 * columns, 2.9 * rows + 0.3),
    )


def path(law: Response, start: Dot, end: Dot) -> drawings.Path:
    """The law from the baseline along the way that `end` was asked to grow, to twice its cost."""
    macs, found = [], []
    for multiple in np.geomspace(1, BEYOND * end.multiple, STEPS).tolist():
        share = math.log(multiple) / math.log(end.multiple)
        depth, width, resolution = (float(value**share) for value in end.asked)
        macs.append(start.macs * multiple)
        found.append(law.predict(depth, width, resolution))
    return drawings.Path(
        macs,
        [one.mean for one in found],
        [one.lower for one in found],
        [one.upper for one in found],
        [not one.extrapolating for one in found],
    )


def _foretold(run: RunData) -> list[str]:
    """How well a law fitted to the smaller networks foretold the largest ones."""
    told = [
        one
        for one in _listed(run.result.get("foretold"))
        if all(isinstance(one.get(name), int | float) for name in ("accuracy", "predicted", "lower", "upper"))
    ]
    if not told:
        return []
    error = sum(abs(one["predicted"] - one["accuracy"]) for one in told) / len(told)
    inside = sum(one["lower"] <= one["accuracy"] <= one["upper"] for one in told)
    straight = run.result.get("straight_line_error")
    line = f"; a straight line in log FLOPs to {100 * straight:.1f}" if isinstance(straight, float) else ""
    return [
        f"A law fitted to the smaller networks foretells the {len(told)} at ×{run.result.get('multiple', 0):g} to "
        f"{100 * error:.1f} points on average, {inside} of them inside their 95 % interval{line}."
    ]


def _beyond(run: RunData, law: Response, start: Dot, found: Sequence[Dot]) -> list[str]:
    """What the law expects of a network twice as large as any, which nobody trained."""
    from scaling.law.fit import best_or_none

    pixels = run.result.get("pixels")
    limit = pixels / start.input_px if isinstance(pixels, int) and start.input_px > 0 else 1.0
    multiple = BEYOND * max(1.0, largest(found))
    best = best_or_none(law, multiple, limit)
    if best is None:
        return []
    where = ", ".join(f"{name} {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for name, one in best.intervals.items())
    gains = "; ".join(f"over {name} alone {gain}" for name, gain in best.gains.items())
    return [
        f"At ×{multiple:g}, which was never trained, the law expects {best.prediction} at best, at {where} "
        f"(multipliers with 95 % intervals of the optimum). Expected gain there: {gains}."
    ]


def _listed(values: object) -> list[Mapping[str, float]]:
    return [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []

"""What curves say: accuracies with intervals, compound against each single dimension, and what a law makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scaling.curves.plan import BASELINE, FOUND, CurvePoint
from scaling.curves.run import CurvesResult, TrainedPoint, compound, found_alone
from scaling.law.fit import fit_or_none
from scaling.law.response import Prediction, Response
from search_spaces.resizing.strategy import SINGLE
from studies.statistics.comparisons import Contrast, compare, contrasts
from studies.statistics.intervals import Estimate, pooled_intervals

# Different networks that a law is fitted to, at least.
MIN_NETWORKS = 5


@dataclass(frozen=True)
class Predicted:
    """A network of the largest multiple, predicted by a law fitted to the smaller ones, and its mean accuracy."""

    planned: CurvePoint
    prediction: Prediction
    accuracy: float


@dataclass(frozen=True)
class CurvesAnalysis:
    """What the points say.

    means       mean test accuracy of each point, in order, its interval with the variance pooled over all points
    adjusted    test accuracies at the largest multiple by curve and seed, closed to the target cost by `slope`
    slope       accuracy per doubling of FLOPs
    main        compound against the best single dimension at the largest multiple; None where they are not all there
    rival       the single dimension with the highest mean
    all_main    compound against every other curve there, intervals holding for all at once; empty likewise
    paper       coefficients found against the paper's; None where there is one of them only
    law         fitted to all points that are not upsampled; None where they are too few
    foretold    the largest networks as a law without them predicts them
    straight    mean absolute error of a straight line in log FLOPs on the same networks; nan without them
    """

    means: tuple[Estimate, ...]
    adjusted: Mapping[str, Mapping[int, float]]
    slope: float
    rival: str
    main: Contrast | None
    all_main: Mapping[str, Contrast]
    paper: Contrast | None
    law: Response | None
    foretold: tuple[Predicted, ...]
    straight: float


def analyse(outcome: CurvesResult) -> CurvesAnalysis:
    """The answer to the outcome of curves. Upsampled networks count in no comparison and in no law."""
    points = outcome.points
    means = pooled_intervals([list(point.test.values()) for point in points])
    fair = [point for point in points if not point.planned.upsampled]
    slope = _slope(fair)
    largest = outcome.plan.largest
    adjusted = {
        point.planned.curve: _matched(point, slope)
        for point in fair
        if point.planned.target is not None and point.planned.multiple == largest
    }
    if found_alone(outcome):
        # The network of a single dimension under another name: compared twice it would only widen all intervals.
        adjusted.pop(FOUND, None)
    ours = compound(outcome)
    singles = [name for name in SINGLE if name in adjusted]
    rival = max(singles, key=lambda name: float(np.mean(list(adjusted[name].values()))), default="")
    comparable = ours in adjusted and bool(singles)
    small = [point for point in fair if point.planned.multiple < largest or point.planned.curve == BASELINE]
    foretold, straight = _predicted(small, [p for p in fair if p.planned.target and p.planned.multiple == largest])
    return CurvesAnalysis(
        means=tuple(means),
        adjusted=adjusted,
        slope=slope,
        rival=rival,
        main=_paired(adjusted[ours], adjusted[rival]) if comparable else None,
        all_main=_all(adjusted, ours) if comparable else {},
        paper=_paired(adjusted[FOUND], adjusted["compound"]) if {FOUND, "compound"} <= adjusted.keys() else None,
        law=_law(fair),
        foretold=foretold,
        straight=straight,
    )


def law_rows(points: Sequence[TrainedPoint]) -> list[dict[str, float]]:
    """What a law is fitted to: a row a training, realised multipliers, cost and test accuracy."""
    return [
        {
            "depth": point.planned.growth.realised.depth,
            "width": point.planned.growth.realised.width,
            "resolution": point.planned.growth.realised.resolution,
            "macs": float(point.cost.macs),
            "accuracy": accuracy,
            "seed": float(seed),
        }
        for point in _different(points)
        for seed, accuracy in point.test.items()
    ]


def _different(points: Sequence[TrainedPoint]) -> list[TrainedPoint]:
    """One point for each network: curves share some."""
    return list({point.planned.arch.key: point for point in points}.values())


def _law(points: Sequence[TrainedPoint]) -> Response | None:
    return fit_or_none(law_rows(points)) if len(_different(points)) >= MIN_NETWORKS else None


def _predicted(small: Sequence[TrainedPoint], large: Sequence[TrainedPoint]) -> tuple[tuple[Predicted, ...], float]:
    law = _law(small)
    if law is None or not large:
        return (), math.nan
    found, line = [], np.polynomial.Polynomial.fit(*_log_cost(small), 1)
    for point in large:
        got = point.planned.growth.realised
        prediction = law.predict(got.depth, got.width, got.resolution)
        found.append(Predicted(point.planned, prediction, float(np.mean(list(point.test.values())))))
    straight = np.mean([abs(line(math.log2(f.planned.macs)) - f.accuracy) for f in found])
    return tuple(found), float(straight)


def _log_cost(points: Sequence[TrainedPoint]) -> tuple[list[float], list[float]]:
    different = _different(points)
    return [math.log2(p.cost.macs) for p in different], [float(np.mean(list(p.test.values()))) for p in different]


def _slope(points: Sequence[TrainedPoint]) -> float:
    """Accuracy per doubling of FLOPs over all points; 0 where they all cost the same, or there are none."""
    x, y = _log_cost(points)
    return float(np.polynomial.Polynomial.fit(x, y, 1).convert().coef[-1]) if x and np.ptp(x) > 0.1 else 0.0


def _matched(point: TrainedPoint, slope: float) -> dict[int, float]:
    target = point.planned.target or point.cost.macs
    more = slope * math.log2(point.cost.macs / target)
    return {seed: accuracy - more for seed, accuracy in point.test.items()}


def _paired(first: Mapping[int, float], second: Mapping[int, float]) -> Contrast | None:
    seeds = sorted(first.keys() & second.keys())
    return compare([first[seed] for seed in seeds], [second[seed] for seed in seeds]) if len(seeds) > 1 else None


def _all(adjusted: Mapping[str, Mapping[int, float]], ours: str) -> dict[str, Contrast]:
    """Against every curve, on the seeds that all of them have."""
    seeds = sorted(set.intersection(*(set(values) for values in adjusted.values())))
    if len(seeds) < 2 or len(adjusted) < 2:
        return {}
    return contrasts({name: [values[seed] for seed in seeds] for name, values in adjusted.items()}, ours)

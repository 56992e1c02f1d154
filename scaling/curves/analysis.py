"""The analysis of curves: accuracies with intervals, compound against each single dimension, and a fitted law."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaling.curves.config import BASELINE, FOUND, MIN_LAW_NETWORKS
from scaling.curves.plan import CurvePoint
from scaling.curves.rate_effect import RateEffect
from scaling.curves.run import CurvesResult, TrainedPoint
from scaling.law.data import training_rows
from scaling.law.fit import fit_or_none
from scaling.law.response import Prediction, Response
from search_spaces.resizing.strategy import SINGLE
from studies.statistics.comparisons import Contrast, compare, contrasts
from studies.statistics.intervals import Estimate, pooled_intervals

# Doublings of FLOPs between the smallest and the largest network, below which no slope is fitted.
MIN_DOUBLINGS = 0.1


@dataclass(frozen=True)
class PredictedPoint:
    """A network of the largest multiple, predicted by a law fitted to the smaller ones, and its mean accuracy."""

    planned: CurvePoint
    prediction: Prediction
    accuracy: float


@dataclass(frozen=True)
class CurvesAnalysis:
    """What follows from the points.

    means            mean test accuracy of each point, in order, its interval with the variance pooled over all points
    adjusted         test accuracies at the largest multiple by curve and seed, matched to the target cost by `slope`
    slope            accuracy per doubling of FLOPs
    compound         the compound curve that is compared: of the coefficients found if they grow several dimensions,
                     or the paper's
    found_alone      the single dimension whose network the coefficients found give at the largest multiple; empty for
                     none
    best_single      the single dimension with the highest mean at the largest multiple; empty for none
    main             compound against the best single dimension at the largest multiple; None if one is missing
    against_all      compound against every other curve, intervals holding for all at once; empty if `main` is None
    paper            coefficients found against the paper's; None if there is only one of them
    law              fitted to all points that are not upsampled; None if they are too few
    predicted        the largest networks as a law without them predicts them
    loglinear_error  mean absolute error of a straight line in log FLOPs on the same networks; nan without them
    rates            learning rates and their effect; None without --lr-per-network
    """

    means: tuple[Estimate, ...]
    adjusted: Mapping[str, Mapping[int, float]]
    slope: float
    compound: str
    found_alone: str
    best_single: str
    main: Contrast | None
    against_all: Mapping[str, Contrast]
    paper: Contrast | None
    law: Response | None
    predicted: tuple[PredictedPoint, ...]
    loglinear_error: float
    rates: RateEffect | None = None


def analyse(result: CurvesResult) -> CurvesAnalysis:
    """The analysis of curves. Upsampled networks are in no comparison and in no law."""
    points = result.points
    means = pooled_intervals([list(point.test.values()) for point in points])
    comparable = [point for point in points if not point.planned.upsampled]
    slope = _slope(comparable)
    largest = [point for point in comparable if result.plan.is_main(point.planned)]
    smaller = [point for point in comparable
               if point.planned.multiple < result.plan.largest or point.planned.curve == BASELINE]  # fmt: skip
    adjusted = {point.planned.curve: _matched(point, slope) for point in largest}
    alone = _found_alone(result)
    if alone:
        # The network of a single dimension under another name: comparing it twice would only widen all intervals.
        adjusted.pop(FOUND, None)
    curves = {point.planned.curve for point in points}
    ours = FOUND if FOUND in curves and not alone else "compound"
    singles = [name for name in SINGLE if name in adjusted]
    best_single = max(singles, key=lambda name: float(np.mean(list(adjusted[name].values()))), default="")
    has_main = ours in adjusted and bool(singles)
    predicted, loglinear_error = _predicted(smaller, largest)
    return CurvesAnalysis(
        means=tuple(means),
        adjusted=adjusted,
        slope=slope,
        compound=ours,
        found_alone=alone,
        best_single=best_single,
        main=_paired(adjusted[ours], adjusted[best_single]) if has_main else None,
        against_all=_against_all(adjusted, ours) if has_main else {},
        paper=_paired(adjusted[FOUND], adjusted["compound"]) if {FOUND, "compound"} <= adjusted.keys() else None,
        law=_law(comparable),
        predicted=predicted,
        loglinear_error=loglinear_error,
        rates=_rate_effect(result),
    )


def _rate_effect(result: CurvesResult) -> RateEffect | None:
    if result.rates is None:
        return None
    other = analyse(replace(result, points=result.with_recipe, rates=None))
    verdict = other.main.verdict if other.main else ""
    verdicts = {curve: contrast.verdict for curve, contrast in other.against_all.items()}
    return RateEffect(result.rates, verdict, other.best_single, verdicts)


def _found_alone(result: CurvesResult) -> str:
    archs = {p.planned.curve: p.planned.arch for p in result.points if p.planned.multiple == result.plan.largest}
    return next((name for name in SINGLE if name in archs and archs[name] == archs.get(FOUND)), "")


def law_rows(points: Sequence[TrainedPoint]) -> list[dict[str, float]]:
    """What a law is fitted to: a row per training, realised multipliers, cost and test accuracy."""
    return training_rows((p.planned.growth.realised, p.cost.macs, p.test) for p in _different(points))


def _different(points: Sequence[TrainedPoint]) -> list[TrainedPoint]:
    """One point for each network: curves share some."""
    return list({point.planned.arch.key: point for point in points}.values())


def _law(points: Sequence[TrainedPoint]) -> Response | None:
    return fit_or_none(law_rows(points)) if len(_different(points)) >= MIN_LAW_NETWORKS else None


def _predicted(
    smaller: Sequence[TrainedPoint], largest: Sequence[TrainedPoint]
) -> tuple[tuple[PredictedPoint, ...], float]:
    """The largest networks predicted from the smaller ones by a law, and the error of a straight line there."""
    law = _law(smaller)
    if law is None or not largest:
        return (), math.nan
    found, line = [], np.polynomial.Polynomial.fit(*_log_cost(smaller), 1)
    for point in largest:
        got = point.planned.growth.realised
        prediction = law.predict(got.depth, got.width, got.resolution)
        found.append(PredictedPoint(point.planned, prediction, float(np.mean(list(point.test.values())))))
    error = np.mean([abs(line(math.log2(one.planned.macs)) - one.accuracy) for one in found])
    return tuple(found), float(error)


def _log_cost(points: Sequence[TrainedPoint]) -> tuple[list[float], list[float]]:
    different = _different(points)
    return [math.log2(p.cost.macs) for p in different], [float(np.mean(list(p.test.values()))) for p in different]


def _slope(points: Sequence[TrainedPoint]) -> float:
    """Accuracy per doubling of FLOPs over all points; 0 if they all cost the same, or there are none."""
    x, y = _log_cost(points)
    return float(np.polynomial.Polynomial.fit(x, y, 1).convert().coef[-1]) if x and np.ptp(x) > MIN_DOUBLINGS else 0.0


def _matched(point: TrainedPoint, slope: float) -> dict[int, float]:
    """Accuracy by seed, corrected for the difference between the network's cost and its target."""
    target = point.planned.target or point.cost.macs
    more = slope * math.log2(point.cost.macs / target)
    return {seed: accuracy - more for seed, accuracy in point.test.items()}


def _paired(first: Mapping[int, float], second: Mapping[int, float]) -> Contrast | None:
    seeds = sorted(first.keys() & second.keys())
    return compare([first[seed] for seed in seeds], [second[seed] for seed in seeds]) if len(seeds) > 1 else None


def _against_all(adjusted: Mapping[str, Mapping[int, float]], ours: str) -> dict[str, Contrast]:
    """`ours` against every other curve, on the seeds that all of them have."""
    seeds = sorted(set.intersection(*(set(values) for values in adjusted.values())))
    if len(seeds) < 2 or len(adjusted) < 2:
        return {}
    return contrasts({name: [values[seed] for seed in seeds] for name, values in adjusted.items()}, ours)

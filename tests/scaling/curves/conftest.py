"""Curves whose accuracies are made up, so that the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from scaling.curves.config import CurvesConfig
from scaling.curves.plan import CurvePoint, CurvesPlan, prepare
from scaling.curves.run import CurvesResult, TrainedPoint
from search_spaces.metrics.counts import cost
from studies.timing.latency import Conditions, Latency
from studies.workers.config import WorkersConfig

MakeResult = Callable[..., CurvesResult]

LATENCY = Latency.of((0.001, 0.002), Conditions(runs=2), channels_last=True)
GAIN = 0.03
# What each strategy adds per doubling.
EXTRA_GAIN = {"depth": -0.02, "width": 0.0, "resolution": -0.01, "compound": 0.02, "fast": 0.01}


@pytest.fixture(scope="session")
def plan() -> CurvesPlan:
    """Curves at 1, 2 and 4 times the baseline's FLOPs; the resolution's largest network is upsampled."""
    return prepare(CurvesConfig(baseline="mobilenet_v2", workers=WorkersConfig(1), seeds=2, main_seeds=6))


@pytest.fixture(scope="session")
def make_result() -> MakeResult:
    """A function that makes the result of a plan, every accuracy 3 points per doubling and the strategy's extra."""
    return result


def result(
    plan: CurvesPlan, *, noise: float = 0.002, points: Sequence[CurvePoint] | None = None, seeds: int = 6
) -> CurvesResult:
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.01, seeds)
    trained = []
    for planned in plan.points if points is None else points:
        count = seeds if plan.is_main(planned) else min(seeds, plan.config.seeds)
        values = _accuracy(plan, planned) + shared[:count] + rng.normal(0, noise, count)
        trained.append(_trained(planned, dict(enumerate(values.tolist()))))
    return CurvesResult(plan, tuple(trained))


def _trained(planned: CurvePoint, accuracies: Mapping[int, float]) -> TrainedPoint:
    seconds = dict.fromkeys(accuracies, 1.0)
    return TrainedPoint(planned, cost(planned.arch), accuracies, accuracies, seconds, LATENCY, 1000, "")


def _accuracy(plan: CurvesPlan, planned: CurvePoint) -> float:
    doublings = math.log2(planned.macs / plan.points[0].macs)
    return 0.7 + (GAIN + EXTRA_GAIN.get(planned.curve, 0.0)) * doublings

"""What a study's trials say about accuracies: complete ones, those stopped early, and those that came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nas.samplers.history import Entry, Factor, judged
from nas.samplers.predictor.features import Floats
from nas.samplers.predictor.transform import OutputTransform
from search_spaces.spaces.space import Ints

PAIRS = 4  # complete trials with a rung before its slope is believed
CAUTION = 0.1  # variance of what a rung says, warped, at least


class Observations(NamedTuple):
    """n measurements of networks [n, k]: accuracies, warped, [n], and variances [n] they have beyond one training's."""

    encodings: Ints
    values: Floats
    extra: Floats
    warp: OutputTransform


def accuracies(entries: Sequence[Entry], factor: Factor | None) -> list[Entry]:
    """The judged trials with the reward's known part divided out of values and rungs."""
    found = judged(entries)
    if factor is None or not found:
        return found
    factors = factor(np.array([entry.encoding for entry in found])).tolist()
    return [_divided(entry, by) for entry, by in zip(found, factors, strict=True)]


def observations(trials: Sequence[Entry]) -> Observations | None:
    """The measurements, once there is a complete trial.

    A trial stopped early counts by what its last rung promises, with the variance that such promises had. One that is
    neither complete nor has rungs (infeasible, not finite) counts as the worst.
    """
    complete = [(entry, entry.value) for entry in trials if entry.value is not None]
    if not complete:
        return None
    finals = np.array([value for _, value in complete])
    warp = OutputTransform.of(finals)
    worst = float(warp(finals).min())
    promises = {step: _extrapolated(complete, step, warp) for entry in trials for step in entry.rungs}
    values, extra = [], []
    for entry in trials:
        if entry.value is not None:
            value, variance = float(warp(np.array(entry.value))), 0.0
        elif entry.rungs:
            last = max(entry.rungs)
            slope, offset, variance = promises[last]
            value = float(warp(np.array(offset + slope * entry.rungs[last])))
        else:
            value, variance = worst, 0.0
        values.append(value)
        extra.append(variance)
    return Observations(np.array([entry.encoding for entry in trials]), np.array(values), np.array(extra), warp)


def _extrapolated(
    complete: Sequence[tuple[Entry, float]], step: int, warp: OutputTransform
) -> tuple[float, float, float]:
    """Slope and offset of the final value as a function of the rung's, and the variance around it, warped."""
    pairs = [(entry.rungs[step], final) for entry, final in complete if step in entry.rungs]
    if not pairs:
        return 1.0, 0.0, 1.0
    early, late = (np.array(part) for part in zip(*pairs, strict=True))
    centred = early - early.mean()
    slope = 1.0
    if len(pairs) >= PAIRS:
        # Shrunk as if one more pair, a spread away from the mean, lay on the diagonal.
        more = late.var() / len(pairs) or 1.0
        slope = float((centred @ late + more) / (centred @ centred + more))
    offset = float(late.mean() - slope * early.mean())
    residual = warp(late) - warp(offset + slope * early)
    return slope, offset, float((residual @ residual + 1) / (len(pairs) + 1)) + CAUTION


def _divided(entry: Entry, by: float) -> Entry:
    value = None if entry.value is None else entry.value / by
    rungs = {step: reached / by for step, reached in entry.rungs.items()}
    return replace(entry, value=value, rungs=rungs)

"""Observations of accuracies from the trials of a study: complete ones, stopped ones and ones without a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nas.samplers.history import Entry, Factor, judged
from nas.samplers.predictor.features import Floats
from nas.samplers.predictor.transform import OutputTransform
from search_spaces.spaces.space import Ints

MIN_PAIRS = 4  # complete trials with a rung that its slope is estimated from; with fewer the slope is 1
EXTRAPOLATION_VARIANCE = 0.1  # least variance of an extrapolation, transformed


class Observations(NamedTuple):
    """n observations of networks.

    encodings  [n, k] the networks
    values     [n] transformed accuracies
    extra      [n] variances beyond that of one training's noise
    transform  the output transform of `values`
    """

    encodings: Ints
    values: Floats
    extra: Floats
    transform: OutputTransform


def accuracies(entries: Sequence[Entry], factor: Factor | None) -> list[Entry]:
    """The judged trials with the reward's known part divided out of values and rungs."""
    found = judged(entries)
    if factor is None or not found:
        return found
    factors = factor(np.array([entry.encoding for entry in found])).tolist()
    return [_divided(entry, by) for entry, by in zip(found, factors, strict=True)]


def observations(trials: Sequence[Entry]) -> Observations | None:
    """The observations; None without a complete trial.

    A trial stopped early counts by the extrapolation of its last rung, with the variance of such extrapolations. A
    trial that is neither complete nor has rungs (infeasible, not finite) counts as the worst.
    """
    complete = [(entry, entry.value) for entry in trials if entry.value is not None]
    if not complete:
        return None
    finals = np.array([value for _, value in complete])
    transform = OutputTransform.of(finals)
    worst = float(transform(finals).min())
    extrapolations = {step: _extrapolation(complete, step, transform) for entry in trials for step in entry.rungs}
    values, extra = [], []
    for entry in trials:
        if entry.value is not None:
            value, variance = float(transform(np.array(entry.value))), 0.0
        elif entry.rungs:
            last = max(entry.rungs)
            slope, offset, variance = extrapolations[last]
            value = float(transform(np.array(offset + slope * entry.rungs[last])))
        else:
            value, variance = worst, 0.0
        values.append(value)
        extra.append(variance)
    return Observations(np.array([entry.encoding for entry in trials]), np.array(values), np.array(extra), transform)


def _extrapolation(
    complete: Sequence[tuple[Entry, float]], step: int, transform: OutputTransform
) -> tuple[float, float, float]:
    """Slope and offset of the final value as a function of the rung's, and the variance around it, transformed."""
    pairs = [(entry.rungs[step], final) for entry, final in complete if step in entry.rungs]
    if not pairs:
        return 1.0, 0.0, 1.0
    early, late = (np.array(part) for part in zip(*pairs, strict=True))
    centred = early - early.mean()
    slope = 1.0
    if len(pairs) >= MIN_PAIRS:
        # Shrunk as if one more pair, a spread away from the mean, lay on the diagonal.
        more = late.var() / len(pairs) or 1.0
        slope = float((centred @ late + more) / (centred @ centred + more))
    offset = float(late.mean() - slope * early.mean())
    residual = transform(late) - transform(offset + slope * early)
    return slope, offset, float((residual @ residual + 1) / (len(pairs) + 1)) + EXTRAPOLATION_VARIANCE


def _divided(entry: Entry, by: float) -> Entry:
    value = None if entry.value is None else entry.value / by
    rungs = {step: reached / by for step, reached in entry.rungs.items()}
    return replace(entry, value=value, rungs=rungs)

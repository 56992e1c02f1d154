"""What a fitted scaling law advises: the best multipliers at a cost, the gain over a single dimension, and how sure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaling.forms import Floats
from scaling.measured import COST_POWERS, DIMENSIONS, MISFIT
from studies.statistics import Estimate

if TYPE_CHECKING:
    from scaling.response import Prediction, Response

Bounds = Mapping[str, tuple[float, float]]

STEPS = {1: 1, 2: 60, 3: 24}
"""Steps of the grid of exponents, by the number of dimensions that vary."""
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Gain:
    """Accuracy of one network minus that of another of the same cost (0.01 is one point).

    value        expected difference
    low, high    its interval, from joint draws: with the forms' misfit at each network, without the noise of training
    probability  that the first is better; 0 where both are the same network
    first, second  their depth, width and resolution multipliers
    note         why it is an extrapolation; empty if it is none
    """

    value: float
    low: float
    high: float
    probability: float
    first: tuple[float, float, float]
    second: tuple[float, float, float]
    note: str

    def __str__(self) -> str:
        ends = f"{100 * self.value:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        return f"{ends}, better with probability {self.probability:.2f}"


@dataclass(frozen=True)
class Best:
    """The multipliers of highest expected accuracy at a cost.

    multiple    of the baseline's multiply-adds, d * w^2 * r^2
    depth, width, resolution  the multipliers
    prediction  accuracy there
    exponents   share of the cost's growth that each dimension takes, with the interval of the optimum's: d = s^e_d,
                w = s^(e_w / 2), r = s^(e_r / 2), the e adding up to 1 ("Fast and Accurate Model Scaling", section 3)
    intervals   the same as multipliers
    gains       expected gain over each single dimension that varied, at equal cost
    """

    multiple: float
    depth: float
    width: float
    resolution: float
    prediction: Prediction
    exponents: dict[str, Estimate]
    intervals: dict[str, Estimate]
    gains: dict[str, Gain]

    @property
    def multipliers(self) -> tuple[float, float, float]:
        return self.depth, self.width, self.resolution


def find_best(response: Response, multiple: float, bounds: Bounds | None, max_resolution: float | None) -> Best:
    """See `Response.best`."""
    _check_multiple(multiple)
    low, high = _limits(multiple, bounds or {}, max_resolution)
    shares = _shares(response.networks.columns, low, high)
    if not len(shares):
        raise ValueError(f"no depth, width and resolution within the bounds cost {multiple:g} times the baseline")
    x = shares * np.log(multiple) / COST_POWERS
    accuracies = response.accuracies(x)
    chosen = int(accuracies.mean(0).argmax())
    optima = shares[accuracies.argmax(1)]
    depth, width, resolution = np.exp(x[chosen]).tolist()
    exponents, intervals = _intervals(response, multiple, shares[chosen], optima)
    best = (depth, width, resolution)
    gains = {name: find_gain(response, best, lone(name, multiple)) for name in response.varied}
    return Best(multiple, *best, response.predict(*best), exponents, intervals, gains)


def find_gain(response: Response, first: tuple[float, float, float], second: tuple[float, float, float]) -> Gain:
    """Expected accuracy at multipliers `first` minus that at `second`. See `Response.gain`."""
    if not all(m > 0 for m in first):
        raise ValueError(f"depth, width and resolution multipliers are above 0, got {first}")
    x = np.log([first, second])
    if np.allclose(x[0], x[1]):
        return Gain(0.0, 0.0, 0.0, 0.0, first, second, response.note(x[0]))
    expected = response.accuracies(x)
    noisy = response.accuracies(x, residuals=MISFIT)
    value = float((expected[:, 0] - expected[:, 1]).mean())
    differences = noisy[:, 0] - noisy[:, 1]
    low, high = np.quantile(differences, response.tails)
    probability = float((differences > 0).mean())
    note = max(response.note(x[0]), response.note(x[1]), key=_seriousness)
    return Gain(value, float(min(low, value)), float(max(high, value)), probability, first, second, note)


def _seriousness(note: str) -> tuple[bool, int]:
    return "never varied" in note, len(note)


def lone(dimension: str, multiple: float) -> tuple[float, float, float]:
    """Multipliers (d, w, r) that spend all of `multiple` on one dimension. Raises ValueError for an unknown one."""
    _check_multiple(multiple)
    if dimension not in DIMENSIONS:
        raise ValueError(f"unknown dimension '{dimension}'; there are {', '.join(DIMENSIONS)}")
    share = np.array([float(name == dimension) for name in DIMENSIONS])
    depth, width, resolution = np.exp(share * np.log(multiple) / COST_POWERS).tolist()
    return depth, width, resolution


def _check_multiple(multiple: float) -> None:
    if not 1 < multiple < np.inf:
        raise ValueError(f"a multiple of the baseline's cost is more than 1, got {multiple}")


def _limits(multiple: float, bounds: Bounds, max_resolution: float | None) -> tuple[Floats, Floats]:
    """Lowest and highest exponent of each dimension."""
    low, high = np.zeros(3), np.ones(3)
    for name, (least, most) in bounds.items():
        if name not in DIMENSIONS or not 0 < least <= most:
            raise ValueError(f"bounds map {', '.join(DIMENSIONS)} to (lowest, highest), got {dict(bounds)}")
        i = DIMENSIONS.index(name)
        ends = np.log([least, most]) * COST_POWERS[i] / np.log(multiple)
        low[i], high[i] = max(0.0, ends[0]), min(1.0, ends[1])
    if max_resolution is not None:
        if not max_resolution >= 1:
            raise ValueError(f"the largest resolution multiplier is at least 1, got {max_resolution}")
        high[2] = min(high[2], np.log(max_resolution) * COST_POWERS[2] / np.log(multiple))
    return low, high


def _shares(columns: list[int], low: Floats, high: Floats) -> Floats:
    """Exponents [P, 3] that add up to 1, within their limits, limits included; 0 where nothing varied."""
    steps = np.linspace(0, 1, STEPS[len(columns)] + 1)
    axes = [np.unique(np.r_[steps, low[i], high[i]]) for i in columns]
    points = []
    for rest in range(len(columns)):
        others = [axis for i, axis in enumerate(axes) if i != rest]
        given = np.array(list(itertools.product(*others))).reshape(math.prod(map(len, others)), len(others))
        points.append(np.insert(given, rest, 1 - given.sum(1), axis=1))
    shares = np.zeros((sum(map(len, points)), 3))
    shares[:, columns] = np.concatenate(points)
    inside = ((shares >= low - SLACK) & (shares <= high + SLACK)).all(1)
    return np.asarray(np.unique(np.clip(shares[inside], 0, 1).round(12), axis=0))


def _intervals(
    response: Response, multiple: float, chosen: Floats, optima: Floats
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """(exponents, multipliers) of the chosen point, with the intervals of the draws' own optima."""
    low, high = np.quantile(optima, response.tails, axis=0)
    exponents, multipliers = {}, {}
    for i, name in enumerate(DIMENSIONS):
        ends = (float(chosen[i]), float(min(low[i], chosen[i])), float(max(high[i], chosen[i])))
        grown = tuple(float(multiple ** (end / COST_POWERS[i])) for end in ends)
        exponents[name] = Estimate(ends[0], ends[1], ends[2], len(response.networks.x))
        multipliers[name] = Estimate(grown[0], grown[1], grown[2], len(response.networks.x))
    return exponents, multipliers

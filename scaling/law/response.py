"""The fitted law: its predictions with intervals, the best multipliers at a cost, the gain over a single dimension."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from scaling.law.data import COST_POWERS, DIMENSIONS, MISFIT_SHARE, MeasuredNetworks
from scaling.law.forms import LEVEL_DEVIATION, Draws, Floats, Posterior
from studies.statistics.intervals import Estimate

UNKNOWN_SLOPE = 0.5
"""Spread of log error per unit of log multiplier in a dimension that the data say nothing about."""
MIN_DISTANCE = 0.01
"""Distance from the networks' convex hull, in units of their range, up to which nothing is an extrapolation."""
GRID_STEPS = {1: 1, 2: 60, 3: 24}
"""Steps of the grid of exponents, by the number of dimensions that vary."""
BOUND_TOLERANCE = 1e-9
MAX_NOISY = 2
"""Networks whose residuals are drawn jointly, at most."""

Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Accuracy of one network, 0 to 1.

    mean           expected accuracy
    lower, upper   where the accuracy of such a network, measured like those fitted, lies with the given confidence
    extrapolating  it lies outside the multipliers that were measured
    note           why, in words; empty inside
    """

    mean: float
    lower: float
    upper: float
    extrapolating: bool
    note: str

    def __str__(self) -> str:
        interval = f"{100 * self.mean:.1f} % [{100 * self.lower:.1f}, {100 * self.upper:.1f}]"
        return f"{interval}, {self.note}" if self.note else interval


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
    depth, width, resolution  the multipliers, by the smooth law: deviations of single multipliers are not sought
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


@dataclass(frozen=True)
class Part:
    """Joint draws of one form.

    draws            of its parameters, n of them
    residual_draws   standard normal numbers, for the residuals of MAX_NOISY networks [n, 2]
    shared_draws     the same for deviations that networks of unmeasured multipliers share [n, 2]
    unknown_draws    the same for the slopes of dimensions that never varied [n, 3]
    """

    fit: Posterior
    draws: Draws
    residual_draws: Floats
    shared_draws: Floats
    unknown_draws: Floats

    def accuracies(self, x: Floats, levels: bool) -> Floats:
        """Expected accuracy at log multipliers x [P, D] in every draw [n, P], with or without levels' deviations."""
        return np.asarray(np.clip(1 - self.fit.form.inverse(self._link(x, levels)), 0, 1))

    def noisy_accuracies(self, x: Floats, levels: bool, unknown: Floats, deviations: Floats) -> Floats:
        """The same with deviations of unknown levels, slopes of the dimensions that never varied, and residuals.

        Args:
            x: log multipliers [P, D]
            levels: the measured ones are known
            unknown: log multipliers of the dimensions that never varied, 0 in the others [P, 3]
            deviations: factors on the residuals' deviation [P]

        """
        y = self._link(x, levels) + UNKNOWN_SLOPE * self.fit.scale * self.unknown_draws @ unknown.T
        spread = LEVEL_DEVIATION * self.fit.scale * np.sqrt(self.fit.levels.unknown(x, levels))
        y += spread * self.shared_draws[:, : len(x)]
        residual = self.draws.residual * self.fit.error / self.fit.scale
        noise = residual[:, None] * deviations * self.residual_draws[:, : len(x)]
        return np.asarray(np.clip(1 - self.fit.form.inverse(y) + noise, 0, 1))

    def _link(self, x: Floats, levels: bool) -> Floats:
        columns = self.fit.columns(self.draws.shapes, x, levels)
        return np.asarray(np.einsum("npi,ni->np", columns, self.draws.coefficients[:, : columns.shape[2]]))


@dataclass(frozen=True)
class Response:
    """A fitted scaling law.

    networks         what it was fitted to
    confidence       of all intervals
    form             the form with the smallest held-out error
    forms            held-out root mean square error of accuracy, by form
    weights          share of each form in the mixture, by form: its prior times its evidence
    heldout_error    mean absolute error of the mixture, predicting the largest networks from smaller ones
    loglinear_error  that of a straight line of accuracy in log multiply-adds, on the same networks
    parts            joint draws
    """

    networks: MeasuredNetworks
    confidence: float
    form: str
    forms: dict[str, float]
    weights: dict[str, float]
    heldout_error: float
    loglinear_error: float
    parts: tuple[Part, ...]

    @property
    def varied(self) -> tuple[str, ...]:
        """The dimensions that the data say something about."""
        return self.networks.varied

    def predict(
        self, depth: float | None = None, width: float | None = None, resolution: float | None = None
    ) -> Prediction:
        """Accuracy at these multipliers. One that is not given is 1, or the only value measured.

        Raises ValueError for multipliers that are not positive.
        """
        x = self._point(depth, width, resolution)
        note = self.note(x)
        low, high = np.quantile(self.noisy_accuracies(x[None], 1.0, levels=True)[:, 0], self.tails)
        mean = float(self.accuracies(x[None], levels=True)[:, 0].mean())
        return Prediction(mean, float(min(low, mean)), float(max(high, mean)), bool(note), note)

    def best(self, multiple: float, *, bounds: Bounds | None = None, max_resolution: float | None = None) -> Best:
        """The d, w, r >= 1 of highest expected accuracy at `multiple` times the baseline's cost, d * w^2 * r^2.

        Args:
            multiple: of the baseline's multiply-adds, more than 1
            bounds: lowest and highest multiplier by dimension, {"width": (1, 2)}
            max_resolution: highest resolution multiplier

        A dimension that never varied stays at 1. Raises ValueError for a multiple of 1 or less, and if the bounds
        leave nothing.

        """
        return find_best(self, multiple, bounds, max_resolution)

    def gain(self, multiple: float, over: str, by: tuple[float, float, float] | None = None) -> Gain:
        """Expected accuracy of the best compound (or of `by`, its d, w, r) minus that of growing `over` alone.

        Both cost `multiple` times the baseline. Raises ValueError for an unknown dimension, and as `best` does.
        """
        first = by or self.best(multiple).multipliers
        return find_gain(self, first, single_dimension(over, multiple))

    def accuracies(self, x: Floats, *, levels: bool = False) -> Floats:
        """Expected accuracy at log multipliers x [P, 3] in every draw [draws, P].

        By the smooth law alone, or with the deviations that networks of measured levels share.
        """
        return np.concatenate([part.accuracies(x[:, self.networks.columns], levels) for part in self.parts])

    def noisy_accuracies(self, x: Floats, share: float, *, levels: bool = False) -> Floats:
        """Accuracy at log multipliers x [P, 3] in every draw [draws, P], with all that the mean leaves out.

        That is residuals, which grow outside the data, deviations of levels, and effects of dimensions that never
        varied. `share` is the share of the residual variance to add. Raises ValueError for more than two networks.
        """
        if len(x) > MAX_NOISY:
            raise ValueError(f"residuals are drawn for at most {MAX_NOISY} networks at once, got {len(x)}")
        columns = self.networks.columns
        deviations = np.sqrt(share) * np.array([1 + self.distance(point) for point in x])
        unknown = x - self.networks.x.mean(0)
        unknown[:, columns] = 0
        return np.concatenate(
            [part.noisy_accuracies(x[:, columns], levels, unknown, deviations) for part in self.parts]
        )

    def distance(self, x: Floats) -> float:
        """How far log multipliers x [3] lie outside the networks' convex hull, in units of their range."""
        columns = self.networks.columns
        data = self.networks.x[:, columns]
        units = np.ptp(data, axis=0)
        # Convex combinations: non-negative weights whose sum is held to 1 by a heavy row.
        system = np.vstack([(data / units).T, np.full(len(data), 1e3)])
        weights, _ = nnls(system, np.r_[x[columns] / units, 1e3])
        gap = float(np.linalg.norm((data / units).T @ weights - x[columns] / units))
        return gap if gap > MIN_DISTANCE else 0.0

    def note(self, x: Floats) -> str:
        """Why log multipliers x [3] are an extrapolation; empty if they are none."""
        still = [name for i, name in enumerate(DIMENSIONS) if name not in self.varied and self._moved(x, i)]
        if still:
            return f"extrapolating: {' and '.join(still)} never varied, the data say nothing about it"
        away = self.distance(x)
        return f"extrapolating: {away:.1f} times the measured range beyond what was measured" if away else ""

    @property
    def tails(self) -> tuple[float, float]:
        """Both tails' probabilities of the intervals."""
        return (1 - self.confidence) / 2, (1 + self.confidence) / 2

    def _moved(self, x: Floats, i: int) -> bool:
        return bool(abs(x[i] - self.networks.x[0, i]) > 1e-3)

    def _point(self, *given: float | None) -> Floats:
        x = np.zeros(3)
        for i, (name, value) in enumerate(zip(DIMENSIONS, given, strict=True)):
            if value is None:
                x[i] = 0.0 if name in self.varied else self.networks.x[0, i]
            elif not 0 < value < np.inf:
                raise ValueError(f"{name} is a multiplier above 0 (1 is the baseline), got {value}")
            else:
                x[i] = np.log(value)
        return x


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
    gains = {name: find_gain(response, best, single_dimension(name, multiple)) for name in response.varied}
    return Best(multiple, *best, response.predict(*best), exponents, intervals, gains)


def find_gain(response: Response, first: tuple[float, float, float], second: tuple[float, float, float]) -> Gain:
    """Expected accuracy at multipliers `first` minus that at `second`. See `Response.gain`."""
    if not all(m > 0 for m in first):
        raise ValueError(f"depth, width and resolution multipliers are above 0, got {first}")
    x = np.log([first, second])
    if np.allclose(x[0], x[1]):
        return Gain(0.0, 0.0, 0.0, 0.0, first, second, response.note(x[0]))
    expected = response.accuracies(x)
    noisy = response.noisy_accuracies(x, MISFIT_SHARE)
    value = float((expected[:, 0] - expected[:, 1]).mean())
    differences = noisy[:, 0] - noisy[:, 1]
    low, high = np.quantile(differences, response.tails)
    probability = float((differences > 0).mean())
    note = max(response.note(x[0]), response.note(x[1]), key=_seriousness)
    return Gain(value, float(min(low, value)), float(max(high, value)), probability, first, second, note)


def _seriousness(note: str) -> tuple[bool, int]:
    return "never varied" in note, len(note)


def single_dimension(dimension: str, multiple: float) -> tuple[float, float, float]:
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
    for name, (lowest, highest) in bounds.items():
        if name not in DIMENSIONS or not 0 < lowest <= highest:
            raise ValueError(f"bounds map {', '.join(DIMENSIONS)} to (lowest, highest), got {dict(bounds)}")
        i = DIMENSIONS.index(name)
        ends = np.log([lowest, highest]) * COST_POWERS[i] / np.log(multiple)
        low[i], high[i] = max(0.0, ends[0]), min(1.0, ends[1])
    if max_resolution is not None:
        if not max_resolution >= 1:
            raise ValueError(f"the largest resolution multiplier is at least 1, got {max_resolution}")
        high[2] = min(high[2], np.log(max_resolution) * COST_POWERS[2] / np.log(multiple))
    return low, high


def _shares(columns: list[int], low: Floats, high: Floats) -> Floats:
    """Exponents [P, 3] that add up to 1, within their limits, limits included; 0 where nothing varied."""
    steps = np.linspace(0, 1, GRID_STEPS[len(columns)] + 1)
    axes = [np.unique(np.r_[steps, low[i], high[i]]) for i in columns]
    points = []
    for rest in range(len(columns)):
        others = [axis for i, axis in enumerate(axes) if i != rest]
        given = np.array(list(itertools.product(*others))).reshape(math.prod(map(len, others)), len(others))
        points.append(np.insert(given, rest, 1 - given.sum(1), axis=1))
    shares = np.zeros((sum(map(len, points)), 3))
    shares[:, columns] = np.concatenate(points)
    inside = ((shares >= low - BOUND_TOLERANCE) & (shares <= high + BOUND_TOLERANCE)).all(1)
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

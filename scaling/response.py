"""The fitted scaling law: accuracy as a smooth function of depth, width and resolution, with intervals.

A mixture of several forms (scaling/forms.py), weighed by the error they make on networks held out of the fit.
Every answer comes from the same joint draws of form, shape and coefficients, so that what two networks have in common
cancels in their difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from scaling.forms import Floats, Posterior, basis
from scaling.measured import DIMENSIONS, Measured
from scaling.optimum import Best, Bounds, Gain, find_best, find_gain, lone

UNKNOWN_SLOPE = 0.5
"""Spread of log error per unit of log multiplier in a dimension that the data say nothing about."""
INSIDE = 0.01


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


@dataclass(frozen=True)
class Part:
    """Draws of one form: shapes [n, D], coefficients [n, D+1], residual deviations of accuracy [n]."""

    fit: Posterior
    shapes: Floats
    coefficients: Floats
    residual: Floats
    # Standard normal numbers: for residuals at two networks [n, 2], and slopes of dimensions that never varied [n, 3].
    at: Floats
    unknown: Floats


@dataclass(frozen=True)
class Response:
    """A fitted scaling law.

    networks         what it was fitted to
    confidence       of all intervals
    form             the form with the smallest held-out error
    forms            held-out root mean square error of accuracy, by form
    weights          share of each form in the mixture, by form
    heldout_error    mean absolute error of the mixture, predicting the largest networks from smaller ones
    loglinear_error  that of a straight line of accuracy in log multiply-adds, on the same networks
    parts            joint draws
    """

    networks: Measured
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
        low, high = np.quantile(self.accuracies(x[None], residuals=1.0)[:, 0], self.tails)
        mean = float(self.accuracies(x[None])[:, 0].mean())
        return Prediction(mean, float(min(low, mean)), float(max(high, mean)), bool(note), note)

    def best(self, multiple: float, *, bounds: Bounds | None = None, max_resolution: float | None = None) -> Best:
        """The d, w, r >= 1 of highest expected accuracy at `multiple` times the baseline's cost, d * w^2 * r^2.

        Args:
            multiple: of the baseline's multiply-adds, more than 1
            bounds: lowest and highest multiplier by dimension, {"width": (1, 2)}
            max_resolution: highest resolution multiplier

        A dimension that never varied stays at 1. Raises ValueError for a multiple of 1 or less, and where the bounds
        leave nothing.

        """
        return find_best(self, multiple, bounds, max_resolution)

    def gain(self, multiple: float, over: str, by: tuple[float, float, float] | None = None) -> Gain:
        """Expected accuracy of the best compound (or of `by`, its d, w, r) minus that of growing `over` alone.

        Both cost `multiple` times the baseline. Raises ValueError for an unknown dimension and as `best` does.
        """
        compound = by or self.best(multiple).multipliers
        return find_gain(self, compound, lone(over, multiple))

    def accuracies(self, x: Floats, *, residuals: float = 0.0) -> Floats:
        """Accuracy at log multipliers x [P, 3] in every draw [draws, P].

        `residuals` is the share of the residual variance to add. Above 0 this brings all that the mean leaves out:
        residuals, which grow outside the data, and effects of dimensions that never varied. P is then 1 or 2.
        """
        columns = self.networks.columns
        reach = np.array([1 + self.distance(point) for point in x]) if residuals else np.ones(len(x))
        strange = x - self.networks.x.mean(0)
        strange[:, columns] = 0
        return np.concatenate(
            [_evaluate(part, x[:, columns], strange, np.sqrt(residuals) * reach) for part in self.parts]
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
        return gap if gap > INSIDE else 0.0

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


def _evaluate(part: Part, x: Floats, strange: Floats, residuals: Floats) -> Floats:
    y = np.einsum("npi,ni->np", basis(part.shapes, x - part.fit.middle), part.coefficients)
    if not residuals.any():
        return np.asarray(np.clip(1 - part.fit.form.inverse(y), 0, 1))
    y = y + UNKNOWN_SLOPE * part.fit.scale * part.unknown @ strange.T
    noise = part.residual[:, None] * residuals * part.at[:, : len(x)]
    return np.asarray(np.clip(1 - part.fit.form.inverse(y) + noise, 0, 1))

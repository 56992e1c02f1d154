"""The forms a scaling law may take, and fitting one: a posterior over curves, in closed form on a grid of shapes.

A form turns the error e = 1 - accuracy into a link value y that grows with accuracy, and says

    y = a + sum over the dimensions m in (d, w, r) of b_m * (1 - m^-k_m) / k_m + u_m        (k = 0: b_m * log m)

b_m is the gain per unit of log m at the middle of the data, k_m how fast that gain dies away. Without k the best way to
spend a budget would always be a single dimension, whatever the data: only diminishing returns favour compound scaling.
u_m is the deviation that networks of one multiplier share (levels.py), with a prior of mean 0. Given the k, this is
linear regression with a known answer. The k go over a grid, each weighed by its evidence.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaling.law.levels import Levels, find_levels

Floats = NDArray[np.float64]
# Diminishing returns: k and its prior probability. EN's Table 7 asks for 2 and more, MobileNetV1's widths for 0.5.
SHAPES = {0.0: 0.30, 0.5: 0.30, 1.0: 0.20, 2.0: 0.13, 4.0: 0.07}
STRAIGHT = {0.0: 1.0}
SLOPE, SLOPE_SPREAD = 0.2, 0.3
"""Prior of b in units of log error: twice the width takes 0 to 40 % of the error away in published tables."""
FLAT = 1e-6
"""Precision of the intercept's prior."""
LEVEL_DEVIATION = 0.02
"""Deviation that networks of one multiplier share, in units of log error. Channels rounded by 5 % make 1 to 2 %."""
NOISE_FREEDOM = 2.0
TAIL = 4.0
"""Degrees of freedom of the residuals' t distribution: small enough that one wrong row loses its vote."""
ITERATIONS = 12
MIN_FREEDOM = 0.3
"""Degrees of freedom of the residuals, at least: more coefficients than networks leave none."""
SMALLEST_ERROR = 1e-5


@dataclass(frozen=True)
class Form:
    """A link and the shapes that go with it.

    name     for people
    link     error -> y, growing with accuracy
    inverse  y -> error
    scale    error -> dy / dlog(1 / error): puts priors, stated for the log error, on the link's scale
    shapes   k -> prior probability
    prior    weight before the data speak
    """

    name: str
    link: Callable[[Floats], Floats]
    inverse: Callable[[Floats], Floats]
    scale: Callable[[float], float]
    shapes: dict[float, float]
    prior: float


FORMS = (
    Form("power law of the error", lambda e: -np.log(e), lambda y: np.exp(-_finite(y)), lambda _: 1.0, STRAIGHT, 0.1),
    Form("saturating power law", lambda e: -np.log(e), lambda y: np.exp(-_finite(y)), lambda _: 1.0, SHAPES, 0.3),
    Form(
        "saturating log loss",
        lambda e: -np.log(-np.log1p(-e)),
        lambda y: -np.expm1(-np.exp(-_finite(y))),
        lambda e: -e / ((1 - e) * math.log1p(-e)),
        SHAPES,
        0.3,
    ),
    Form(
        "saturating log odds",
        lambda e: np.log((1 - e) / e),
        lambda y: 1 / (1 + np.exp(_finite(y))),
        lambda e: 1 / (1 - e),
        SHAPES,
        0.3,
    ),
)


def _finite(y: Floats) -> Floats:
    return np.clip(y, -20, 20)


@dataclass(frozen=True)
class Data:
    """Distinct networks: `x` their log multipliers [networks, varied dimensions], their errors 1 - accuracy, weights.

    `noise` is the prior guess of the residuals' standard deviation, in units of log error.
    """

    x: Floats
    error: Floats
    weight: Floats
    noise: float

    def take(self, which: NDArray[np.bool_]) -> Data:
        return Data(self.x[which], self.error[which], self.weight[which], self.noise)


@dataclass(frozen=True)
class Posterior:
    """A fitted form: over a grid of G shapes, a t distribution of coefficients for each.

    form, middle   the form; the log multipliers that x is measured from [D]
    error, scale   the data's mean error (geometric); the form's scale there
    levels         whose networks share a deviation, L of them
    shapes         k of each dimension [G, D]
    probability    of each grid point [G]
    evidence       of the form: log density of the accuracies, up to a constant that all forms share
    mean, cov      of (a, b, u) [G, D+1+L], [G, D+1+L, D+1+L]
    variance, freedom  of the residuals, on the link's scale [G]
    leave_one_out  error predicted for each network from all others [N]
    """

    form: Form
    middle: Floats
    error: float
    scale: float
    levels: Levels
    shapes: Floats
    probability: Floats
    evidence: float
    mean: Floats
    cov: Floats
    variance: Floats
    freedom: Floats
    leave_one_out: Floats

    def expected(self, x: Floats) -> Floats:
        """Expected error of networks [P, D] -> [P]."""
        y = (self.columns(self.shapes, x) @ self.mean[..., None])[..., 0]
        return np.asarray(self.probability @ np.clip(self.form.inverse(y), SMALLEST_ERROR, 1))

    def columns(self, shapes: Floats, x: Floats, levels: bool = True) -> Floats:
        """What the coefficients multiply, for shapes [S, D] and log multipliers x [P, D] -> [S, P, D+1+L].

        Without levels, the D+1 columns of the smooth law.
        """
        smooth = x - self.middle
        return _columns(shapes, smooth, self.levels.columns(x)) if levels else basis(shapes, smooth)

    def draw(self, n: int, rng: np.random.Generator) -> Draws:
        """n joint draws."""
        which = rng.choice(len(self.probability), p=self.probability, size=n)
        stretch = np.sqrt(self.freedom[which] / rng.chisquare(self.freedom[which]))
        root = np.linalg.cholesky(self.cov)[which]
        steps = np.einsum("nij,nj->ni", root, rng.standard_normal((n, root.shape[1])))
        return Draws(
            self.shapes[which],
            self.mean[which] + steps * stretch[:, None],
            np.sqrt(self.variance[which]) * stretch,
        )


@dataclass(frozen=True)
class Draws:
    """n draws from a posterior.

    shapes        k of each dimension [n, D]
    coefficients  a, b and u [n, D+1+L]
    residual      deviation of a residual, on the link's scale [n]
    """

    shapes: Floats
    coefficients: Floats
    residual: Floats


def basis(shapes: Floats, x: Floats) -> Floats:
    """Columns 1, (1 - exp(-k x)) / k for shapes [G, D] and log multipliers [P, D] -> [G, P, D+1]."""
    k = shapes[:, None, :]
    curve = np.where(k == 0, x, -np.expm1(-np.clip(k * x, -50, 50)) / np.where(k == 0, 1, k))
    return np.concatenate([np.ones((*curve.shape[:2], 1)), curve], axis=2)


def _columns(shapes: Floats, x: Floats, shares: Floats) -> Floats:
    """The basis, followed by each level's shares [P, L]: [G, P, D+1+L]."""
    smooth = basis(shapes, x)
    return np.concatenate([smooth, np.broadcast_to(shares, (len(smooth), *shares.shape))], axis=2)


def fit_form(form: Form, data: Data, *, tail: float = TAIL) -> Posterior:
    """The posterior of one form. `tail` infinite means normal residuals (least squares)."""
    middle, levels = data.x.mean(0), find_levels(data.x)
    y = form.link(data.error)
    error = float(np.exp(np.log(data.error).mean()))
    scale = form.scale(error)
    dims, count = data.x.shape[1], len(levels.value)
    grid = np.array(list(itertools.product(form.shapes, repeat=dims))).reshape(-1, dims)
    log_prior = np.log([math.prod(p) for p in itertools.product(form.shapes.values(), repeat=dims)])
    deviations = scale * np.r_[np.full(dims, SLOPE_SPREAD), np.full(count, LEVEL_DEVIATION)]
    prior = _Prior(
        start=np.r_[y.mean(), np.full(dims, SLOPE * scale), np.zeros(count)],
        precision=np.r_[FLAT / scale**2, deviations**-2],
        noise=data.noise * scale,
    )
    solved = _regress(_columns(grid, data.x - middle, levels.columns(data.x)), y, data.weight, prior, tail)
    evidence = log_prior + solved.evidence
    total = float(np.logaddexp.reduce(evidence))
    probability = np.exp(evidence - total)
    errors = np.clip(form.inverse(y - solved.left_out), SMALLEST_ERROR, 1)
    cov = solved.inverse * solved.variance[:, None, None]
    return Posterior(
        form,
        middle,
        error,
        scale,
        levels,
        grid,
        probability,
        total + float(np.log([form.scale(e) for e in data.error]).sum()),
        solved.mean,
        cov,
        solved.variance,
        solved.freedom,
        probability @ errors,
    )


@dataclass(frozen=True)
class _Prior:
    """Prior of the coefficients (a, b, u): means and precisions [D+1+L]; prior guess of the residuals' deviation."""

    start: Floats
    precision: Floats
    noise: float

    @property
    def squares(self) -> float:
        """Sum of squares that the prior of the residual variance is worth."""
        return NOISE_FREEDOM * self.noise**2


@dataclass(frozen=True)
class _Step:
    """Coefficients of a weighted regression at every grid point, C = D+1+L of them.

    mean      of the coefficients [G, C]
    normal    matrix of the normal equations [G, C, C], and its inverse
    residual  of each network [G, N]
    weights   of the networks [G, N]
    freedom   degrees of freedom left to the residuals [G]
    variance  of a residual of weight 1 [G]
    """

    mean: Floats
    normal: Floats
    inverse: Floats
    residual: Floats
    weights: Floats
    freedom: Floats
    variance: Floats


@dataclass(frozen=True)
class _Regression:
    """The last step, the log evidence of each grid point [G], and residuals without the network itself [G, N]."""

    mean: Floats
    inverse: Floats
    variance: Floats
    freedom: Floats
    evidence: Floats
    left_out: Floats


def _regress(columns: Floats, y: Floats, weight: Floats, prior: _Prior, tail: float) -> _Regression:
    """Bayesian regression with t residuals by reweighting, for all grid points at once.

    An expectation-maximisation (Lange, Little and Taylor 1989): a t residual is a normal one whose variance is unknown,
    so networks far off lose weight. The residual variance has a scaled inverse chi-square prior about noise^2 with
    NOISE_FREEDOM degrees of freedom.

    Args:
        columns: of the regression, [G, N, C]
        y: link values [N]
        weight: of the networks [N]
        prior: of coefficients and noise
        tail: degrees of freedom of the residuals; infinite means normal ones

    """
    weights = np.broadcast_to(weight, columns.shape[:2])
    variance = np.full(len(columns), prior.noise**2)
    # A fixed number: after it the coefficients change by far less than their own deviations.
    for _ in range(ITERATIONS):
        step = _maximise(columns, y, weights, variance, prior)
        squares = weight * step.residual**2 / step.variance[:, None]
        weights, variance = weight * _trust(squares, tail), step.variance
    leverage = step.weights * ((columns @ step.inverse) * columns).sum(2)
    left_out = step.residual / np.maximum(1 - leverage, 0.05)
    evidence = _evidence(step, squares, prior, tail)
    return _Regression(step.mean, step.inverse, variance, step.freedom + NOISE_FREEDOM, evidence, left_out)


def _maximise(columns: Floats, y: Floats, weights: Floats, variance: Floats, prior: _Prior) -> _Step:
    """The M-step: coefficients and residual variance, given the weights [G, N] and the variance before [G]."""
    weighted = columns * weights[..., None]
    normal = np.swapaxes(weighted, 1, 2) @ columns
    diagonal = np.arange(normal.shape[1])
    normal[:, diagonal, diagonal] += prior.precision * variance[:, None]
    inverse = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    pull = ((y - columns @ prior.start)[:, None] @ weighted)[:, 0]
    mean = prior.start + (inverse @ pull[..., None])[..., 0]
    residual = y - (columns @ mean[..., None])[..., 0]
    # The trace of the hat matrix, without its single entries.
    used = normal.shape[1] - variance * (prior.precision * inverse[:, diagonal, diagonal]).sum(1)
    freedom = np.maximum(len(y) - used, MIN_FREEDOM)
    variance = ((weights * residual**2).sum(1) + prior.squares) / (freedom + NOISE_FREEDOM)
    return _Step(mean, normal, inverse, residual, weights, freedom, variance)


def _evidence(step: _Step, squares: Floats, prior: _Prior, tail: float) -> Floats:
    """Log evidence of each grid point [G], by Laplace's approximation, up to a constant that all forms share."""
    evidence = _log_likelihood(squares, step.variance, tail) - 0.5 * np.linalg.slogdet(step.normal)[1]
    distance = (((step.mean - prior.start) ** 2) * prior.precision).sum(1)
    evidence += 0.5 * (len(prior.start) * np.log(step.variance) + np.log(prior.precision).sum() - distance)
    ratio = prior.squares / step.variance
    return np.asarray(evidence + 0.5 * (NOISE_FREEDOM * np.log(ratio) - ratio))


def _trust(squares: Floats, tail: float) -> Floats:
    """The E-step: the weight of a residual, by its square over the variance."""
    return np.ones_like(squares) if math.isinf(tail) else (tail + 1) / (tail + squares)


def _log_likelihood(squares: Floats, variance: Floats, tail: float) -> Floats:
    fit = -0.5 * squares if math.isinf(tail) else -0.5 * (tail + 1) * np.log1p(squares / tail)
    return np.asarray(fit.sum(1) - 0.5 * squares.shape[1] * np.log(variance))

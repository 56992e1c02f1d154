"""Hyperparameters of the surrogate: the most probable ones given the measurements (marginal likelihood times prior)."""

from __future__ import annotations

import numpy as np

from nas.samplers.predictor.features import Floats, Inputs
from nas.samplers.predictor.kernel import CONSTANT, SAME_NETWORK, Hyperparameters
from search_spaces.spaces.space import Ints

ITERATIONS = 25
JITTER = 1e-6
# Logarithms of the variances' most probable values (joint, smooth, additive, noise), log odds of `own`, and how far
# they may lie from them.
CENTRE, SPREAD = np.log([0.3, 0.5, 0.5, 0.05, 0.3 / 0.7]), np.array([1.0, 1.0, 1.0, 1.5, 1.0])
SENSITIVITY = 1.0  # of log weights and rates


def fit(inputs: Inputs, owner: Ints, choices: int, values: Floats, extra: Floats) -> Hyperparameters:
    """The most probable hyperparameters for values [n], measured with the variances noise + extra [n]."""
    from scipy.optimize import minimize

    centre, spread = _prior(choices, inputs.summaries.shape[1])
    distances = _choice_distances(inputs, owner, choices)
    summaries = np.array([np.subtract.outer(column, column) ** 2 / 2 for column in inputs.summaries.T])
    summaries = summaries.reshape(-1, len(values), len(values))
    posterior = _Posterior(distances, summaries, values, extra, centre, spread)
    bounds = list(zip(centre - 4 * spread, centre + 4 * spread, strict=True))
    found = minimize(posterior, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ITERATIONS})
    return Hyperparameters.of(found.x, choices)


def _prior(choices: int, summaries: int) -> tuple[Floats, Floats]:
    """Where the logarithms lie and how widely: with more dimensions each one matters less."""
    weights = np.full(choices, np.log(1.5 / np.sqrt(choices)))
    rates = np.full(summaries, np.log(0.5 / np.sqrt(max(1, summaries))))
    spread = np.full(choices + summaries, SENSITIVITY)
    return np.concatenate([CENTRE, weights, rates]), np.concatenate([SPREAD, spread])


def _choice_distances(inputs: Inputs, owner: Ints, choices: int) -> Floats:
    """How far each pair is apart in each choice, [k, n, n]."""
    found = np.zeros((choices, len(inputs.choices), len(inputs.choices)))
    for bit, choice in enumerate(owner):
        found[choice] += np.subtract.outer(inputs.choices[:, bit], inputs.choices[:, bit]) ** 2
    return found


class _Posterior:
    """The negative log posterior density of the hyperparameters' logarithms, and its gradient."""

    def __init__(
        self, distances: Floats, summaries: Floats, values: Floats, extra: Floats, centre: Floats, spread: Floats
    ) -> None:
        self._distances, self._summaries = distances, summaries
        self._overlap = 1 - distances.mean(axis=0)
        self._same = (distances.sum(axis=0) < SAME_NETWORK).astype(np.float64)
        self._values, self._extra, self._centre, self._spread = values, extra, centre, spread

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        from scipy.linalg import cho_solve, cholesky

        hyper = Hyperparameters.of(logs, len(self._distances))
        joint = hyper.joint * np.exp(-np.tensordot(hyper.weights, self._distances, 1))
        smooth = hyper.smooth * np.exp(-np.tensordot(hyper.rates, self._summaries, 1))
        total = CONSTANT + joint + smooth + hyper.additive * self._overlap
        chance = hyper.noise * (1 - hyper.own)
        total += hyper.noise * hyper.own * self._same
        total[np.diag_indices_from(total)] += chance + self._extra + JITTER
        lower = cholesky(total, lower=True)
        alpha = cho_solve((lower, True), self._values)
        inner = (cho_solve((lower, True), np.eye(len(alpha))) - np.outer(alpha, alpha)) / 2
        away = (logs - self._centre) / self._spread
        density = 0.5 * self._values @ alpha + np.log(np.diag(lower)).sum() + 0.5 * away @ away
        variances = [(inner * joint).sum(), (inner * smooth).sum(), hyper.additive * (inner * self._overlap).sum()]
        weights = -hyper.weights * np.tensordot(self._distances, inner * joint, 2)
        rates = -hyper.rates * np.tensordot(self._summaries, inner * smooth, 2)
        trace, same = np.trace(inner), (inner * self._same).sum()
        noise = hyper.noise * (hyper.own * same + (1 - hyper.own) * trace)
        own = chance * hyper.own * (same - trace)
        gradient = np.concatenate([variances, [noise, own], weights, rates])
        return float(density), gradient + away / self._spread

"""The most probable hyperparameters given the observations: marginal likelihood times prior."""

from __future__ import annotations

import numpy as np

from nas.samplers.predictor.features import Floats, Inputs
from nas.samplers.predictor.kernel import CONSTANT, SAME_NETWORK, Hyperparameters
from search_spaces.spaces.space import Ints

ITERATIONS = 25
JITTER = 1e-6
# The prior: means and standard deviations of the logarithms of the variances joint, smooth, additive and residual, and
# of the log odds of `network_share`.
PRIOR_MEANS, PRIOR_SPREADS = np.log([0.3, 0.5, 0.5, 0.05, 0.3 / 0.7]), np.array([1.0, 1.0, 1.0, 1.5, 1.0])
DIMENSION_SPREAD = 1.0  # prior standard deviation of the logarithms of weights and rates


def fit(inputs: Inputs, owner: Ints, choices: int, values: Floats, extra: Floats) -> Hyperparameters:
    """The most probable hyperparameters for values [n], with noise variances nugget + extra [n]."""
    from scipy.optimize import minimize

    objective = NegativeLogPosterior(inputs, owner, choices, values, extra)
    reach = 4 * objective.spreads
    bounds = list(zip(objective.means - reach, objective.means + reach, strict=True))
    found = minimize(
        objective, objective.means, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ITERATIONS}
    )
    return Hyperparameters.of(found.x, choices)


class NegativeLogPosterior:
    """The negative log posterior density of the hyperparameters' logarithms, and its gradient.

    It is a function of a vector in the order of `Hyperparameters.of`; `means` and `spreads` are those of the prior.
    """

    def __init__(self, inputs: Inputs, owner: Ints, choices: int, values: Floats, extra: Floats) -> None:
        self.means, self.spreads = _prior(choices, inputs.summaries.shape[1])
        self._distances = _choice_distances(inputs, owner, choices)
        summaries = np.array([np.subtract.outer(column, column) ** 2 / 2 for column in inputs.summaries.T])
        self._summaries = summaries.reshape(-1, len(values), len(values))
        self._overlap = 1 - self._distances.mean(axis=0)
        self._same = (self._distances.sum(axis=0) < SAME_NETWORK).astype(np.float64)
        self._values, self._extra = values, extra

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        from scipy.linalg import cho_solve, cholesky

        hyper = Hyperparameters.of(logs, len(self._distances))
        joint = hyper.joint * np.exp(-np.tensordot(hyper.weights, self._distances, 1))
        smooth = hyper.smooth * np.exp(-np.tensordot(hyper.rates, self._summaries, 1))
        total = CONSTANT + joint + smooth + hyper.additive * self._overlap
        total += hyper.network_effect * self._same
        total[np.diag_indices_from(total)] += hyper.nugget + self._extra + JITTER
        lower = cholesky(total, lower=True)
        alpha = cho_solve((lower, True), self._values)
        inner = (cho_solve((lower, True), np.eye(len(alpha))) - np.outer(alpha, alpha)) / 2
        away = (logs - self.means) / self.spreads
        density = 0.5 * self._values @ alpha + np.log(np.diag(lower)).sum() + 0.5 * away @ away
        variances = [(inner * joint).sum(), (inner * smooth).sum(), hyper.additive * (inner * self._overlap).sum()]
        weights = -hyper.weights * np.tensordot(self._distances, inner * joint, 2)
        rates = -hyper.rates * np.tensordot(self._summaries, inner * smooth, 2)
        trace, same = np.trace(inner), (inner * self._same).sum()
        residual = hyper.residual * (hyper.network_share * same + (1 - hyper.network_share) * trace)
        share = hyper.nugget * hyper.network_share * (same - trace)
        gradient = np.concatenate([variances, [residual, share], weights, rates])
        return float(density), gradient + away / self.spreads


def _prior(choices: int, summaries: int) -> tuple[Floats, Floats]:
    """Prior means and standard deviations of the logarithms: with more dimensions each one matters less."""
    weights = np.full(choices, np.log(1.5 / np.sqrt(choices)))
    rates = np.full(summaries, np.log(0.5 / np.sqrt(max(1, summaries))))
    spread = np.full(choices + summaries, DIMENSION_SPREAD)
    return np.concatenate([PRIOR_MEANS, weights, rates]), np.concatenate([PRIOR_SPREADS, spread])


def _choice_distances(inputs: Inputs, owner: Ints, choices: int) -> Floats:
    """Squared distances of each pair of networks in each choice, [k, n, n]."""
    found = np.zeros((choices, len(inputs.choices), len(inputs.choices)))
    for bit, choice in enumerate(owner):
        found[choice] += np.subtract.outer(inputs.choices[:, bit], inputs.choices[:, bit]) ** 2
    return found

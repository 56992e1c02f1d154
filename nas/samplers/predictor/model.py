"""The Gaussian process over networks, conditioned on observations and on running trials."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nas.samplers.predictor.features import Features, Floats, Inputs
from nas.samplers.predictor.fit import JITTER, fit
from nas.samplers.predictor.kernel import Hyperparameters, covariance, prior_variance
from nas.samplers.predictor.observations import Observations
from search_spaces.spaces.space import Ints

MAX_FITTED = 160  # observations that hyperparameters are fitted to; it bounds the cost of a proposal
SLOPE = 0.5  # prior gain of one standard deviation of log cost, in standardised accuracies


class Posterior(NamedTuple):
    """Mean [n] and standard deviation [n] of networks' transformed accuracies, without the noise of a training."""

    mean: Floats
    deviation: Floats


class Model:
    """The posterior given observations. With `prior` its mean rises with log cost where observations say nothing."""

    def __init__(self, features: Features, known: Observations, hyper: Hyperparameters, *, prior: bool) -> None:
        self._features, self._hyper = features, hyper
        self._slope = SLOPE if prior else 0.0
        self._inputs = features(known.encodings)
        self.nugget = hyper.nugget
        self._noise = self.nugget + known.extra
        self._condition(self._inputs, known.values - self._slope * self._inputs.size, self._noise)

    def posterior(self, encodings: Ints) -> Posterior:
        """The posterior of networks [n, k]."""
        from scipy.linalg import solve_triangular

        inputs = self._features(encodings)
        shared = covariance(self._hyper, self._features.owner, self._inputs, inputs)
        mean = shared.T @ self._alpha + self._slope * inputs.size
        explained = (solve_triangular(self._lower, shared, lower=True, check_finite=False) ** 2).sum(axis=0)
        return Posterior(mean, np.sqrt(np.maximum(prior_variance(self._hyper) - explained, 1e-12)))

    def condition_on_pending(self, pending: Ints) -> None:
        """Condition on networks [m, k] of running trials as if each gave its posterior mean.

        That changes no mean but lowers their variance, so that the next proposal lies elsewhere.
        """
        if not len(pending):
            return
        inputs = self._features(pending)
        means = self.posterior(pending).mean - self._slope * inputs.size
        both = Inputs(*(np.concatenate(parts) for parts in zip(self._inputs, inputs, strict=True)))
        noise = np.concatenate([self._noise, np.full(len(pending), self.nugget)])
        self._condition(both, np.concatenate([self._values, means]), noise)

    def _condition(self, inputs: Inputs, values: Floats, noise: Floats) -> None:
        from scipy.linalg import cho_solve, cholesky

        self._inputs, self._values, self._noise = inputs, values, noise
        total = covariance(self._hyper, self._features.owner, inputs, inputs)
        total[np.diag_indices_from(total)] += noise + JITTER
        self._lower = cholesky(total, lower=True)
        self._alpha = cho_solve((self._lower, True), values)


def fit_latest_and_best(features: Features, known: Observations, choices: int, *, prior: bool) -> Hyperparameters:
    """Hyperparameters fitted to the latest observations and the best ones, `MAX_FITTED` at most."""
    number = len(known.values)
    chosen = np.arange(number)
    if number > MAX_FITTED:
        best = np.argsort(-known.values, kind="stable")[: MAX_FITTED // 2]
        chosen = np.union1d(best, chosen[-MAX_FITTED // 2 :])
    inputs = features(known.encodings[chosen])
    values = known.values[chosen] - (SLOPE * inputs.size if prior else 0.0)
    return fit(inputs, features.owner, choices, values, known.extra[chosen])

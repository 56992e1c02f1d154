"""The surrogate: a Gaussian process over networks, conditioned on what was measured and on what is under way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nas.samplers.predictor.features import Features, Floats, Inputs
from nas.samplers.predictor.fit import JITTER, fit
from nas.samplers.predictor.kernel import Hyperparameters, covariance, prior_variance
from nas.samplers.predictor.observations import Observations
from search_spaces.spaces.space import Ints

FITTED = 160  # measurements that hyperparameters are fitted to: it is what keeps a suggestion's cost down
SLOPE = 0.5  # what the prior believes one standard deviation of log cost buys, in standardised accuracies


class Posterior(NamedTuple):
    """Mean [n] and standard deviation [n] of networks' accuracies, on the warped scale, noise left out."""

    mean: Floats
    deviation: Floats


class Model:
    """The posterior given measurements. `prior` lets larger networks be better until the measurements know more."""

    def __init__(self, features: Features, known: Observations, hyper: Hyperparameters, *, prior: bool) -> None:
        self._features, self._hyper = features, hyper
        self._slope = SLOPE if prior else 0.0
        self._inputs = features(known.encodings)
        self.noise = (1 - hyper.own) * hyper.noise  # variance of one training's chance
        self._noise = self.noise + known.extra
        self._condition(self._inputs, known.values - self._slope * self._inputs.size, self._noise)

    def believe(self, encodings: Ints) -> Posterior:
        """What is believed of networks [n, k]."""
        from scipy.linalg import solve_triangular

        inputs = self._features(encodings)
        shared = covariance(self._hyper, self._features.owner, self._inputs, inputs)
        mean = shared.T @ self._alpha + self._slope * inputs.size
        explained = (solve_triangular(self._lower, shared, lower=True, check_finite=False) ** 2).sum(axis=0)
        return Posterior(mean, np.sqrt(np.maximum(prior_variance(self._hyper) - explained, 1e-12)))

    def imagine(self, pending: Ints) -> None:
        """Condition on networks [m, k] under way as if they gave what is believed of them now.

        That changes no mean but removes the doubt about them, so that the next suggestion looks elsewhere.
        """
        if not len(pending):
            return
        imagined = self._features(pending)
        means = self.believe(pending).mean - self._slope * imagined.size
        both = Inputs(*(np.concatenate(parts) for parts in zip(self._inputs, imagined, strict=True)))
        noise = np.concatenate([self._noise, np.full(len(pending), self.noise)])
        self._condition(both, np.concatenate([self._values, means]), noise)

    def _condition(self, inputs: Inputs, values: Floats, noise: Floats) -> None:
        from scipy.linalg import cho_solve, cholesky

        self._inputs, self._values, self._noise = inputs, values, noise
        total = covariance(self._hyper, self._features.owner, inputs, inputs)
        total[np.diag_indices_from(total)] += noise + JITTER
        self._lower = cholesky(total, lower=True)
        self._alpha = cho_solve((self._lower, True), values)


def fitted(features: Features, known: Observations, choices: int, *, prior: bool) -> Hyperparameters:
    """Hyperparameters fitted to the latest measurements and the best ones, `FITTED` at most."""
    number = len(known.values)
    chosen = np.arange(number)
    if number > FITTED:
        best = np.argsort(-known.values, kind="stable")[: FITTED // 2]
        chosen = np.union1d(best, chosen[-FITTED // 2 :])
    inputs = features(known.encodings[chosen])
    values = known.values[chosen] - (SLOPE * inputs.size if prior else 0.0)
    return fit(inputs, features.owner, choices, values, known.extra[chosen])

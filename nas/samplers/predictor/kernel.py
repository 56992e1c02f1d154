"""The covariance of the accuracies of two networks under the predictor's Gaussian process."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nas.samplers.predictor.features import Floats, Inputs
from search_spaces.spaces.space import Ints

CONSTANT = 1.0  # variance of the unknown mean, in units of the standardised values
SAME_NETWORK = 1e-6  # squared distance of choices below which two networks are one


class Hyperparameters(NamedTuple):
    """Hyperparameters, all positive.

    joint          variance of the kernel over all choices together
    smooth         variance of the kernel over the summaries
    additive       variance of the sum of independent effects of each choice
    residual       variance of a training around what other networks predict
    network_share  the share (0 to 1) of `residual` that repeats when the same network is trained again
    weights        [k] of the choices
    rates          [f] of the summaries, 1 / length^2
    """

    joint: float
    smooth: float
    additive: float
    residual: float
    network_share: float
    weights: Floats
    rates: Floats

    @classmethod
    def of(cls, logs: Floats, choices: int) -> Hyperparameters:
        """From a vector of logarithms, of log odds for `network_share`, in the order of the fields."""
        values = np.exp(logs)
        joint, smooth, additive, residual, odds = values[:5].tolist()
        share = odds / (1 + odds)
        return cls(joint, smooth, additive, residual, share, values[5 : 5 + choices], values[5 + choices :])

    @property
    def network_effect(self) -> float:
        """Variance of a network's own effect: what its trainings share, and other networks do not predict."""
        return self.network_share * self.residual

    @property
    def nugget(self) -> float:
        """Variance of the noise: what trainings of one network differ by."""
        return (1 - self.network_share) * self.residual


def covariance(hyper: Hyperparameters, owner: Ints, left: Inputs, right: Inputs) -> Floats:
    """The covariance [n, m] of the accuracies of two sets of networks.

    constant + joint exp(-sum_j weight_j d_j) + smooth exp(-1/2 sum_f rate_f df^2) + additive (mean overlap of choices),
    and the network effect where both are the same network. The nugget is not in it.
    """
    apart = square_distance(left.choices, right.choices)
    bits = np.sqrt(hyper.weights[owner])
    rates = np.sqrt(hyper.rates / 2)
    joint = np.exp(-square_distance(left.choices * bits, right.choices * bits))
    smooth = np.exp(-square_distance(left.summaries * rates, right.summaries * rates))
    # One minus the mean distance of the choices is the covariance of a sum of independent effects of each choice.
    overlap = 1 - apart / len(hyper.weights)
    effect = hyper.network_effect * (apart < SAME_NETWORK)
    return CONSTANT + hyper.joint * joint + hyper.smooth * smooth + hyper.additive * overlap + effect


def prior_variance(hyper: Hyperparameters) -> float:
    """The variance of any network's accuracy before anything is measured."""
    return CONSTANT + hyper.joint + hyper.smooth + hyper.additive + hyper.network_effect


def square_distance(left: Floats, right: Floats) -> Floats:
    """Squared Euclidean distances [n, m]."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * left @ right.T, 0))

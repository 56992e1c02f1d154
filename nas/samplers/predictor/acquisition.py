"""The acquisition function: the expected improvement of the reward, whose cost factor is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nas.samplers.history import Factor
from nas.samplers.predictor.features import Floats
from nas.samplers.predictor.model import Model
from nas.samplers.predictor.transform import OutputTransform
from search_spaces.spaces.space import Ints

Score = Callable[[Ints], Floats]
TRAININGS = np.array([1, 2, 4, 8, 16])  # numbers of trainings of one network whose gain is compared


class Improvement:
    """The logarithm of the expected improvement over the best measured network.

    The best network is the one with the highest posterior mean, not the one with the highest measurement (noisy
    expected improvement with a plug-in). Rewards are accuracy * factor: a network of factor f improves on the best
    reward R if its accuracy exceeds R / f, and its gain is f times the excess.
    """

    def __init__(self, model: Model, transform: OutputTransform, factor: Factor | None, measured: Ints) -> None:
        self._model, self._transform, self._factor = model, transform, factor
        self._measured = measured
        self.rewards: Floats = self.expected(measured)
        self._best = float(self.rewards.max())

    def expected(self, encodings: Ints) -> Floats:
        """The rewards [n] at the posterior means."""
        return self._transform.inverse(self._model.posterior(encodings).mean) * self._factors(encodings)

    def __call__(self, encodings: Ints) -> Floats:
        """Log expected improvements [n] of networks [n, k]."""
        factors = self._factors(encodings)
        mean, deviation = self._model.posterior(encodings)
        above = (mean - self._transform(self._best / factors)) / deviation
        return np.asarray(log_improvement(above) + np.log(deviation) + np.log(factors))

    def gain_of(self, encoding: Ints) -> float:
        """The log expected rise of the best posterior mean by training a new network [k]."""
        return float(self._gain(encoding[None], np.array([self._best]))[0])

    def best_retraining(self) -> tuple[Ints, float]:
        """The measured network [k] whose next training has the highest log expected gain, and that gain as `gain_of`.

        Learning that the best network is worse than the second counts as a gain too.
        """
        networks, first = np.unique(self._measured, axis=0, return_index=True)
        rewards = self.rewards[first]
        order = np.argsort(rewards)
        others = np.full(len(rewards), rewards[order[-1]])
        others[order[-1]] = rewards[order[-2]] if len(rewards) > 1 else rewards[order[-1]]
        gains = self._gain(networks, others)
        chosen = int(np.argmax(gains))
        return np.asarray(networks[chosen]), float(gains[chosen])

    def _gain(self, encodings: Ints, rivals: Floats) -> Floats:
        """Log expected gain [n] per training over the rewards [n] of the best others: the knowledge gradient KG(*).

        One noisy training rarely changes which of two close networks leads; a number of them can. So the gain of one
        training is the highest mean gain over `TRAININGS` (Frazier and Powell 2010, Paradoxes in Learning).
        """
        factors = self._factors(encodings)
        mean, deviation = self._model.posterior(encodings)
        # Standard deviations of the change of the posterior mean by so many noisy trainings [trainings, n].
        moves = deviation**2 / np.sqrt(deviation**2 + self._model.nugget / TRAININGS[:, None])
        apart = -np.abs(mean - self._transform(rivals / factors)) / moves
        gains = log_improvement(apart) + np.log(moves) - np.log(TRAININGS[:, None])
        return np.asarray(gains.max(axis=0) + np.log(factors))

    def _factors(self, encodings: Ints) -> Floats:
        return np.ones(len(encodings)) if self._factor is None else self._factor(encodings)


def log_improvement(above: Floats) -> Floats:
    """The logarithm of E[max(0, above + N(0, 1))] = above cdf(above) + pdf(above), also where it underflows."""
    from scipy.special import ndtr

    density = np.exp(-0.5 * above**2) / np.sqrt(2 * np.pi)
    near = np.log(np.maximum(above * ndtr(above) + density, 1e-300))
    # Far below 0 it tends to pdf / above^2.
    far = -0.5 * above**2 - 0.5 * np.log(2 * np.pi) - 2 * np.log(np.maximum(-above, 1))
    return np.asarray(np.where(above < -6, far, near))

"""What a training of a network promises: the expected improvement of the reward, whose cost factor is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nas.samplers.history import Factor
from nas.samplers.predictor.features import Floats
from nas.samplers.predictor.model import Model
from nas.samplers.predictor.transform import OutputTransform
from search_spaces.spaces.space import Ints

Score = Callable[[Ints], Floats]
LOOKS = np.array([1, 2, 4, 8, 16])  # numbers of trainings of one network whose gain is looked at


class Improvement:
    """The logarithm of the expected improvement over the best network measured, as the model sees it.

    The best is the highest posterior mean among the measured networks, not the luckiest measurement (noisy expected
    improvement with a plug-in). Rewards are accuracy * factor; a network of factor f improves on a best reward R
    where its accuracy exceeds R / f, and f times what it exceeds it by is gained.
    """

    def __init__(self, model: Model, warp: OutputTransform, factor: Factor | None, measured: Ints) -> None:
        self._model, self._warp, self._factor = model, warp, factor
        self._measured = measured
        self.rewards: Floats = self.expected(measured)
        self._best = float(self.rewards.max())

    def expected(self, encodings: Ints) -> Floats:
        """The rewards [n] that the model's means stand for."""
        return self._warp.back(self._model.believe(encodings).mean) * self._factors(encodings)

    def __call__(self, encodings: Ints) -> Floats:
        """Log expected improvements [n] of networks [n, k]."""
        factors = self._factors(encodings)
        mean, deviation = self._model.believe(encodings)
        above = (mean - self._warp(self._best / factors)) / deviation
        return np.asarray(log_improvement(above) + np.log(deviation) + np.log(factors))

    def after_training(self, encoding: Ints) -> float:
        """By how much a training of a new network [k] is expected to raise the best mean, as a logarithm."""
        return float(self._gain(encoding[None], np.array([self._best]))[0])

    def best_again(self) -> tuple[Ints, float]:
        """The measured network [k] whose next training is expected to raise the best mean most, and by how much.

        It also counts that the best may prove worse than the second. As a logarithm, as `after_training`.
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

        One noisy training of two close leaders changes little, several of them decide: so the gain of a training is
        that of the number of trainings which brings most for each (Frazier and Powell 2010, Paradoxes in Learning).
        """
        factors = self._factors(encodings)
        mean, deviation = self._model.believe(encodings)
        # How far the mean of so many noisy measurements moves what is believed [looks, n].
        moves = deviation**2 / np.sqrt(deviation**2 + self._model.noise / LOOKS[:, None])
        apart = -np.abs(mean - self._warp(rivals / factors)) / moves
        gains = log_improvement(apart) + np.log(moves) - np.log(LOOKS[:, None])
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

"""Which choices mattered: PED-ANOVA (arXiv 2304.10255, section 4), with intervals and with what chance alone gives."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# The trials that count as good; of few trials a tenth would be three or four.
TOP = 0.25
MIN_CANDIDATES = 20
RESAMPLES = 200


@dataclass(frozen=True)
class Importance:
    """How differently the best trials chose.

    choices  names of the choices, most important first
    value    of each: Pearson's divergence of the best quarter's options from all trials' options; 0: they don't differ
    low, high ends of the 95 % bootstrap interval over trials
    chance   the largest value that one of all choices reaches in 19 of 20 cases if rewards are dealt out at random
    trials   behind it
    """

    choices: tuple[str, ...]
    value: Floats
    low: Floats
    high: Floats
    chance: float
    trials: int

    @property
    def above_chance(self) -> NDArray[np.bool_]:
        """Which choices have their whole interval above chance."""
        return np.asarray(self.low > self.chance)


@dataclass(frozen=True)
class _Options:
    """Which option each trial has: `hot` [trials, options of all choices]; `owner` the choice of each option."""

    names: tuple[str, ...]
    hot: Floats
    owner: NDArray[np.int64]


def importance(complete: pd.DataFrame, seed: int = 0, resamples: int = RESAMPLES) -> Importance | None:
    """Of every choice_* column for the reward; None under MIN_CANDIDATES trials or if no choice varies.

    Bootstrap samples repeat trials, which alone makes options differ; the samples behind `chance` repeat them as well.
    """
    options = _options(complete)
    if len(complete) < MIN_CANDIDATES or not options.names:
        return None
    rewards = complete["reward"].to_numpy(dtype=np.float64)
    n, rng = len(rewards), np.random.default_rng(seed)
    value = _divergences(options, np.ones((1, n)), rewards[None])[0]
    counts = rng.multinomial(n, np.full(n, 1 / n), size=(2, resamples)).astype(np.float64)
    sampled = _divergences(options, counts[0], rewards[None])
    dealt = rng.permuted(np.tile(rewards, (resamples, 1)), axis=1)
    chance = float(np.quantile(_divergences(options, counts[1], dealt).max(axis=1), 0.95))
    low, high = np.quantile(sampled, (0.025, 0.975), axis=0)
    order = np.argsort(-value, kind="stable")
    names = tuple(options.names[index] for index in order)
    return Importance(names, value[order], low[order], high[order], chance, n)


def _options(complete: pd.DataFrame) -> _Options:
    choices = [name for name in map(str, complete) if name.startswith("choice_")]
    columns = [name for name in choices if complete[name].nunique() > 1]
    parts = [pd.get_dummies(complete[name]).to_numpy(dtype=np.float64) for name in columns]
    owner = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    hot = np.concatenate(parts, axis=1) if parts else np.empty((len(complete), 0))
    return _Options(tuple(name.removeprefix("choice_") for name in columns), hot, owner.astype(np.int64))


def _divergences(options: _Options, counts: Floats, rewards: Floats) -> Floats:
    """[resamples, choices]; trials repeated `counts` times [resamples, trials], rewards [resamples or 1, trials]."""
    best = counts * _is_best(counts, rewards)
    everywhere, among_best = (_densities(options, part) for part in (counts, best))
    squares = everywhere * (among_best / everywhere - 1) ** 2
    return np.stack([squares[:, options.owner == index].sum(1) for index in range(len(options.names))], axis=1)


def _is_best(counts: Floats, rewards: Floats) -> NDArray[np.bool_]:
    """Which trials are among the best TOP of a resample, equals of the last one included."""
    rewards = np.broadcast_to(rewards, counts.shape)
    order = np.argsort(-rewards, axis=1, kind="stable")
    reached = np.take_along_axis(counts, order, 1).cumsum(1) >= math.ceil(TOP * counts[0].sum())
    last = np.take_along_axis(order, reached.argmax(1)[:, None], 1)
    return np.asarray(rewards >= np.take_along_axis(rewards, last, 1))


def _densities(options: _Options, counts: Floats) -> Floats:
    """The Parzen estimate of each option's share [resamples, options], as Optuna's evaluator has it (prior weight 1).

    Its kernels, one for each option that occurs and the uniform prior, each spread a K-th of a count over all options.
    """
    seen, total = counts @ options.hot, counts.sum(1)[:, None]
    member = (options.owner[:, None] == np.arange(len(options.names))).astype(np.float64)
    size = member.sum(0)[options.owner]
    kernels = ((seen > 0) @ member)[:, options.owner] + 1
    return np.asarray(((total / kernels + seen) / (1 + size / kernels) + 1 / size) / (total + 1))

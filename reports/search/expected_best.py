"""What random search would have found: the expected best of n trials, from those that were drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]
# With fewer random trials the expected best of n of them is too uncertain.
MIN_CANDIDATES = 20
RESAMPLES = 400
MAX_SIZES = 60


@dataclass(frozen=True)
class RandomSearch:
    """The expected best reward of n random trials.

    trials    numbers of trials n, ascending; the last is the number of random trials there are
    expected  best reward of n of them drawn without replacement, its expectation
    low, high ends of its 95 % bootstrap interval
    """

    trials: NDArray[np.int64]
    expected: Floats
    low: Floats
    high: Floats


def random_search(trials: pd.DataFrame, seed: int = 0) -> RandomSearch | None:
    """From the uniformly drawn trials of a search; None under MIN_CANDIDATES of them.

    A trial that was stopped early counts with the reward it had reached, one that failed on its own with 0; errors and
    lack of memory, which may be the machine's, are left out.
    """
    values = uniform_rewards(trials)
    if len(values) < MIN_CANDIDATES:
        return None
    sizes = np.unique(np.geomspace(1, len(values), MAX_SIZES).round().astype(np.int64))
    chances = best_chances(len(values), sizes)
    rng = np.random.default_rng(seed)
    resampled = np.sort(rng.choice(values, (RESAMPLES, len(values))), axis=1) @ chances.T
    low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
    return RandomSearch(sizes, np.sort(values) @ chances.T, low, high)


def uniform_rewards(trials: pd.DataFrame) -> Floats:
    """The rewards of the trials that were drawn uniformly; see `random_search`."""
    drawn = trials[(trials["proposed_by"] == "uniform") & ~trials["outcome"].isin(("error", "out-of-memory"))]
    rewards = drawn["reward"].where(~drawn["outcome"].isin(("nan", "infeasible")), 0.0).dropna()
    return rewards.to_numpy(dtype=np.float64)


def best_chances(number: int, sizes: NDArray[np.int64]) -> Floats:
    """P [sizes, number] that the i-th smallest of `number` values is the largest of n drawn without replacement.

    It is C(i - 1, n - 1) / C(number, n): the n - 1 others are all among the i - 1 smaller ones.
    """
    below = np.arange(number)
    others = sizes[:, None] - 1
    possible = below >= others
    rest = np.where(possible, below - others, 0)
    ways = gammaln(below + 1) - gammaln(others + 1) - gammaln(rest + 1)
    total = gammaln(number + 1) - gammaln(sizes + 1) - gammaln(number - sizes + 1)
    return np.where(possible, np.exp(ways - total[:, None]), 0.0)

"""A simulated search on a table: the optimizer asks, the table tells one repetition, and the regret is recorded."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nas.benchmark.objective import TableObjective
from nas.tables.table import Floats
from search_spaces.spaces.space import Ints

# A search ends after so many repeated proposals in a row: the sampler has no new network.
MAX_REPEATS = 200
RECOMMENDATION_INTERVAL = 10  # trials between two recommendations


SearchId = tuple[str, str, int]
"""One search: sampler, score, seed."""


class Optimizer(Protocol):
    """A sampler that is asked and told. It knows the space and its costs; of the measurements only what it is told."""

    def ask(self) -> Ints:
        """The encoding [k] to train next."""

    def tell(self, value: float, *, repeat: bool = False) -> None:
        """The score of the last encoding; `repeat` if it is the score that was told before."""

    def recommend(self) -> Ints | None:
        """The encoding [k] that the sampler recommends now; None if it recommends nothing of its own."""


# From the objective, the number of trials and the seed.
MakeOptimizer = Callable[[str, TableObjective, int, int], Optimizer]


@dataclass(frozen=True, eq=False)
class Trace:
    """The course of one search.

    sampler, score, seed  which search
    observed              [trials] regret of the network with the best score so far, the mean where it was trained again
    recommended           [trials] regret of the network that the sampler recommends, asked every tenth trial and held
                          until the next; NaN where it recommends nothing
    seconds               [trials] what the proposals that led to each trial took, those of repeats included
    repeats               proposals that had been trained before
    """

    sampler: str
    score: str
    seed: int
    observed: Floats
    recommended: Floats
    seconds: Floats
    repeats: int

    @property
    def search(self) -> SearchId:
        """Which search."""
        return self.sampler, self.score, self.seed


def simulate(
    sampler: str, make: MakeOptimizer, objective: TableObjective, trials: int, seed: int, *, free: bool = False
) -> Trace:
    """Search with `trials` trainings.

    A training gives one of the network's repetitions, drawn by (seed, network, number of earlier trainings), so it is
    the same for every sampler. A network that is proposed again is trained again, as in any Optuna study; with `free`
    it has its earlier score and costs no trial, as in `nas.search`. If a sampler then proposes no new network any more,
    its last state counts for the trials that are left.
    """
    optimizer = make(sampler, objective, trials, seed)
    observations: dict[int, list[float]] = {}
    observed: list[float] = []
    recommended: list[float] = []
    seconds: list[float] = []
    waited, repeats, repeats_in_a_row, regret_of_recommended = 0.0, 0, 0, math.nan
    while len(observed) < trials and repeats_in_a_row < MAX_REPEATS:
        began = time.perf_counter()
        encoding = optimizer.ask()
        waited += time.perf_counter() - began
        network = int(objective.table.space.network(encoding)[0])
        if not objective.inside[network]:
            raise ValueError(f"sampler {sampler} proposed a network outside the cost band")
        seen = observations.setdefault(network, [])
        repeats += bool(seen)
        if seen and free:
            optimizer.tell(seen[-1], repeat=True)
            repeats_in_a_row += 1
            continue
        seen.append(objective.factors[network] * objective.table.observe(network, seed, len(seen)))
        optimizer.tell(seen[-1])
        observed.append(_regret_of_best(observations, objective))
        if len(observed) % RECOMMENDATION_INTERVAL == 0 or len(observed) == trials:
            regret_of_recommended = _recommended(optimizer, objective)
        recommended.append(regret_of_recommended)
        seconds.append(waited)
        waited, repeats_in_a_row = 0.0, 0
    lengthened = (_filled(observed, trials), _filled(recommended, trials), _filled(seconds, trials, 0.0))
    return Trace(sampler, objective.name, seed, *lengthened, repeats)


def _regret_of_best(observations: dict[int, list[float]], objective: TableObjective) -> float:
    """The regret of the network with the best mean observation, the first one among equals."""
    best = max(observations, key=lambda network: sum(observations[network]) / len(observations[network]))
    return float(objective.regret[best])


def _recommended(optimizer: Optimizer, objective: TableObjective) -> float:
    encoding = optimizer.recommend()
    return math.nan if encoding is None else float(objective.regret[objective.table.space.network(encoding)[0]])


def _filled(values: list[float], trials: int, rest: float | None = None) -> Floats:
    """[trials] with the last value, or `rest`, where a search ended early."""
    missing = [values[-1] if rest is None else rest] * (trials - len(values))
    return np.array([*values, *missing])

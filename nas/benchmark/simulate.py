"""One search on a table: a sampler asks, the table answers with one repetition, and the regret is written down."""

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

# After so many proposals in a row that were trained before, a sampler has nothing new to say.
MAX_REPEATS = 200
EVERY = 10  # trials between two looks at a sampler's own recommendation


SearchId = tuple[str, str, int]
"""One search: sampler, score, seed."""


class Optimizer(Protocol):
    """A sampler at the table. It knows the space and its costs; of what was measured only what it is told."""

    def ask(self) -> Ints:
        """The encoding [k] to train next."""

    def tell(self, value: float, *, repeat: bool = False) -> None:
        """The score of what was asked for last; `repeat` where it is the one that was told before."""

    def recommend(self) -> Ints | None:
        """The encoding [k] that the sampler itself would choose now; None where it has no opinion."""


# From the aim, the number of trials and the seed.
MakeOptimizer = Callable[[str, TableObjective, int, int], Optimizer]


@dataclass(frozen=True, eq=False)
class Trace:
    """What one search did.

    sampler, aim, seed   which search
    observed              [trials] regret of the network with the best score so far, the mean where it was trained again
    recommended           [trials] regret of the network that the sampler recommends, asked every tenth trial and held
                          until the next; NaN where it recommends nothing
    seconds               [trials] what the proposals that led to each trial took, those of repeats included
    repeats               proposals that had been trained before
    """

    sampler: str
    aim: str
    seed: int
    observed: Floats
    recommended: Floats
    seconds: Floats
    repeats: int

    @property
    def game(self) -> SearchId:
        """Which search."""
        return self.sampler, self.aim, self.seed


def simulate(
    sampler: str, make: MakeOptimizer, aim: TableObjective, trials: int, seed: int, *, free: bool = False
) -> Trace:
    """Search with `trials` trainings.

    A training shows one of the network's repetitions, drawn by (seed, network, how often it was trained before), so the
    same for every sampler. A network that is proposed again is trained again, as in any Optuna study; with `free` it
    takes the score it showed before and costs nothing, as in `nas.search`. Where a sampler then asks for nothing new
    any more, its last state stands for the trials that are left.
    """
    player = make(sampler, aim, trials, seed)
    looks: dict[int, list[float]] = {}
    observed: list[float] = []
    recommended: list[float] = []
    seconds: list[float] = []
    waited, repeats, stuck, advice = 0.0, 0, 0, math.nan
    while len(observed) < trials and stuck < MAX_REPEATS:
        began = time.perf_counter()
        encoding = player.ask()
        waited += time.perf_counter() - began
        network = int(aim.table.space.network(encoding)[0])
        if not aim.inside[network]:
            raise ValueError(f"sampler {sampler} proposed a network outside the cost band: it cannot be judged")
        seen = looks.setdefault(network, [])
        repeats += bool(seen)
        if seen and free:
            player.tell(seen[-1], repeat=True)
            stuck += 1
            continue
        seen.append(aim.factors[network] * aim.table.observe(network, seed, len(seen)))
        player.tell(seen[-1])
        observed.append(_regret_of_best(looks, aim))
        if len(observed) % EVERY == 0 or len(observed) == trials:
            advice = _recommended(player, aim)
        recommended.append(advice)
        seconds.append(waited)
        waited, stuck = 0.0, 0
    lengthened = (_filled(observed, trials), _filled(recommended, trials), _filled(seconds, trials, 0.0))
    return Trace(sampler, aim.name, seed, *lengthened, repeats)


def _regret_of_best(looks: dict[int, list[float]], aim: TableObjective) -> float:
    """The first seen wins among equals."""
    best = max(looks, key=lambda network: sum(looks[network]) / len(looks[network]))
    return float(aim.regret[best])


def _recommended(player: Optimizer, aim: TableObjective) -> float:
    encoding = player.recommend()
    return math.nan if encoding is None else float(aim.regret[aim.table.space.network(encoding)[0]])


def _filled(values: list[float], trials: int, rest: float | None = None) -> Floats:
    """[trials] with the last value, or `rest`, where a search ended early."""
    missing = [values[-1] if rest is None else rest] * (trials - len(values))
    return np.array([*values, *missing])

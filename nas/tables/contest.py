"""One search on a table: a strategy asks, the table answers with one repetition, and the regret is written down."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nas.tables.aim import Aim
from nas.tables.table import Floats
from search_spaces.spaces import Ints

# After so many proposals in a row that were trained before, a strategy has nothing new to say.
PATIENCE = 200
EVERY = 10  # trials between two looks at a strategy's own recommendation


class Player(Protocol):
    """A strategy at the table. It knows the space and its costs; of what was measured only what it is told."""

    def ask(self) -> Ints:
        """The encoding [k] to train next."""

    def tell(self, value: float, *, repeat: bool = False) -> None:
        """The score of what was asked for last; `repeat` where it is the one that was told before."""

    def recommend(self) -> Ints | None:
        """The encoding [k] that the strategy itself would choose now; None where it has no opinion."""


Game = tuple[str, str, int]
"""One search: strategy, score, seed."""

# From the aim, the number of trials and the seed.
MakePlayer = Callable[[str, Aim, int, int], Player]


@dataclass(frozen=True, eq=False)
class Trace:
    """What one search did.

    strategy, aim, seed   which search
    observed              [trials] regret of the network with the best score so far, the mean where it was trained again
    recommended           [trials] regret of the network that the strategy recommends, asked every tenth trial and held
                          until the next; NaN where it recommends nothing
    seconds               [trials] what the proposals that led to each trial took, those of repeats included
    repeats               proposals that had been trained before
    """

    strategy: str
    aim: str
    seed: int
    observed: Floats
    recommended: Floats
    seconds: Floats
    repeats: int

    @property
    def game(self) -> Game:
        """Which search."""
        return self.strategy, self.aim, self.seed


def play(strategy: str, make: MakePlayer, aim: Aim, trials: int, seed: int, *, free: bool = False) -> Trace:
    """Search with `trials` trainings.

    A training shows one of the network's repetitions, drawn by (seed, network, how often it was trained before), so the
    same for every strategy. A network that is proposed again is trained again, as in any Optuna study; with `free` it
    takes the score it showed before and costs nothing, as in `nas.search`. Where a strategy then asks for nothing new
    any more, its last state stands for the trials that are left.
    """
    player = make(strategy, aim, trials, seed)
    looks: dict[int, list[float]] = {}
    observed: list[float] = []
    recommended: list[float] = []
    seconds: list[float] = []
    waited, repeats, stuck, advice = 0.0, 0, 0, math.nan
    while len(observed) < trials and stuck < PATIENCE:
        began = time.perf_counter()
        encoding = player.ask()
        waited += time.perf_counter() - began
        network = int(aim.table.space.network(encoding)[0])
        if not aim.inside[network]:
            raise ValueError(f"strategy {strategy} proposed a network outside the cost band: it cannot be judged")
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
    return Trace(strategy, aim.name, seed, *lengthened, repeats)


def _regret_of_best(looks: dict[int, list[float]], aim: Aim) -> float:
    """The first seen wins among equals."""
    best = max(looks, key=lambda network: sum(looks[network]) / len(looks[network]))
    return float(aim.regret[best])


def _recommended(player: Player, aim: Aim) -> float:
    encoding = player.recommend()
    return math.nan if encoding is None else float(aim.regret[aim.table.space.network(encoding)[0]])


def _filled(values: list[float], trials: int, rest: float | None = None) -> Floats:
    """[trials] with the last value, or `rest`, where a search ended early."""
    missing = [values[-1] if rest is None else rest] * (trials - len(values))
    return np.array([*values, *missing])

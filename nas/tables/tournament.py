"""All searches of a benchmark, in processes side by side."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from nas.tables.aim import Aim
from nas.tables.contest import MakePlayer, Trace, play
from nas.tables.table import Table
from search_spaces.counting import Band

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, eq=False)
class Tournament:
    """Every strategy on every score with every seed.

    scores   names of aims, see `Aim`
    band     lowest and highest multiply-adds of the networks that may be proposed and chosen
    free     whether a network that is proposed again costs nothing, see `play`
    """

    table: Table
    make: MakePlayer
    strategies: tuple[str, ...]
    scores: tuple[str, ...]
    trials: int
    seeds: Sequence[int]
    band: Band | None = None
    free: bool = False

    @cached_property
    def aims(self) -> list[Aim]:
        """What is maximised, one for each score."""
        return [Aim(score, self.table, self.band) for score in self.scores]

    def check(self) -> None:
        """Raise ValueError where a score or strategy cannot be had; before anything is searched."""
        for aim in self.aims:
            aim.regret  # noqa: B018
            for strategy in self.strategies:
                self.make(strategy, aim, self.trials, 0)

    def run(self, workers: int = 1) -> Iterator[Trace]:
        """The searches as they end, `workers` at once; one alone runs in this process."""
        games = list(product(self.strategies, self.scores, self.seeds))
        if workers == 1:
            yield from (self.game(*game) for game in games)
            return
        with _one_thread_each():
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(workers, context, initializer=_enter, initargs=(self,)) as pool:
                try:
                    yield from (done.result() for done in as_completed([pool.submit(_game, *game) for game in games]))
                finally:
                    pool.shutdown(wait=False, cancel_futures=True)

    def game(self, strategy: str, score: str, seed: int) -> Trace:
        """One search."""
        aim = self.aims[self.scores.index(score)]
        return play(strategy, self.make, aim, self.trials, seed, free=self.free)


_playing: list[Tournament] = []


def _enter(tournament: Tournament) -> None:
    """Keep the tournament in a worker process, so that the table travels once."""
    _playing[:] = [tournament]


def _game(strategy: str, score: str, seed: int) -> Trace:
    return _playing[0].game(strategy, score, seed)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started within compute with one thread each."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""All searches of a benchmark, in processes side by side."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from nas.tables.aim import Aim
from nas.tables.contest import Game, MakePlayer, Trace, play
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

    @cached_property
    def games(self) -> list[Game]:
        """All searches."""
        return list(product(self.strategies, self.scores, self.seeds))

    def run(self, workers: int = 1, over: Collection[Game] = ()) -> Generator[Trace]:
        """The searches as they end, but for those that are over, `workers` at once; one alone runs in this process.

        Closing the iterator, and any exception, Ctrl-C among them, ends the other processes at once.
        """
        games = [game for game in self.games if game not in over]
        if workers == 1:
            yield from (self.game(*game) for game in games)
            return
        context = multiprocessing.get_context("spawn")
        others = set(context.active_children())
        with ProcessPoolExecutor(workers, context, initializer=_enter, initargs=(self,)) as pool:
            try:
                with _one_thread_each(), _deaf_to_interrupts():
                    submitted = [pool.submit(_game, *game) for game in games]
                yield from (done.result() for done in as_completed(submitted))
            except BaseException:
                # The pool itself would play what has begun to its end.
                for process in set(context.active_children()) - others:
                    process.terminate()
                raise

    def game(self, strategy: str, score: str, seed: int) -> Trace:
        """One search."""
        aim = self.aims[self.scores.index(score)]
        return play(strategy, self.make, aim, self.trials, seed, free=self.free)


_playing: list[Tournament] = []


def _enter(tournament: Tournament) -> None:
    """Keep the tournament in a worker process, so that the table travels once."""
    _playing[:] = [tournament]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next game for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _game(strategy: str, score: str, seed: int) -> Trace:
    return _playing[0].game(strategy, score, seed)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started within leave Ctrl-C, which a terminal sends to all, to this one; it hears of it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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

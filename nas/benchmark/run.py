"""All searches of a benchmark, in processes side by side."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from nas.benchmark.config import DECISIVE, SCORES, BenchmarkConfig
from nas.benchmark.objective import TableObjective
from nas.benchmark.simulate import MakeOptimizer, SearchId, Trace, simulate
from nas.tables import registry as tables
from nas.tables.table import BenchmarkTable
from search_spaces.common import cli
from search_spaces.counting.band import Band

if TYPE_CHECKING:
    from nas.benchmark.analysis import BenchmarkResult
    from nas.benchmark.files import FinishedSearches


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_playing: list[Benchmark] = []


def judge(config: BenchmarkConfig, make: MakeOptimizer, samplers: tuple[str, ...]) -> list[BenchmarkResult]:
    """Judge the samplers that `make` makes, print the standings and write them down.

    Raises ValueError, before anything is searched, where the table, a score, a sampler or the folder cannot be had.
    """
    from nas.benchmark import files
    from nas.benchmark.analysis import results_of, text

    table = tables.load(config.table, config.columns)
    scores = config.scores or (SCORES if table.macs is not None else SCORES[:1])
    seeds = range(config.first_seed, config.first_seed + config.seeds)
    tournament = Benchmark(
        table, make, samplers, scores, config.trials, seeds, band=config.band, free=config.free_repeats
    )
    tournament.check()
    settings = files.fingerprint(table, make) | {name: getattr(config, name) for name in DECISIVE}
    with files.opened(config.run, settings | {"cost_band": config.band and [*config.band]}, anew=config.new) as games:
        print(describe(table, tournament), flush=True)
        found = results_of(_ordered(_watched(tournament, config, games), tournament))
        shown = text(found, config.shown, tournament.aims)
        write(config, found, tournament, f"{describe(table, tournament)}\n\n{shown}\n")
        games.discard()
    print(f"\n{shown}\n\nwritten to {config.run}: results.json, curves.csv, regret.svg, report.txt")
    return found


def describe(table: BenchmarkTable, tournament: Benchmark) -> str:
    """The table and what is played on it, in two lines."""
    least, most = int(table.repetitions.min()), int(table.repetitions.max())
    repetitions = f"{least}" if least == most else f"{least} to {most}"
    repeats = "repeats are free" if tournament.free else "every proposal is a trial"
    return (
        f"{table.name}: {len(table.truth)} networks ({table.space.size} encodings), each measured {repetitions} times, "
        f"best mean {table.truth.max():.4g}\n"
        f"{tournament.trials} trials, {len(tournament.seeds)} seeds, {repeats}"
    )


def write(config: BenchmarkConfig, found: Sequence[BenchmarkResult], tournament: Benchmark, report: str) -> None:
    """Write what came out into the run folder."""
    from nas.benchmark.analysis import frame, plain_results
    from nas.benchmark.figure import draw
    from search_spaces.common.files import atomic_write

    files = Path(config.run)
    config = dataclasses.replace(config, new=False)
    settings = cli.plain(config)
    largest = {aim.name: aim.regret_of_largest for aim in tournament.aims}
    plain = {"config": settings, "largest_network": largest, "standings": plain_results(found, config.shown)}
    atomic_write(files / "config.yaml", cli.to_yaml(config))
    atomic_write(files / "results.json", json.dumps(plain, indent=1) + "\n")
    atomic_write(files / "curves.csv", frame(found).to_csv(index=False, float_format="%.6g"))
    atomic_write(files / "regret.svg", draw(found, tournament.aims))
    atomic_write(files / "report.txt", report)


def _watched(tournament: Benchmark, config: BenchmarkConfig, games: FinishedSearches) -> list[Trace]:
    """All traces, those of earlier commands included."""
    from rich.progress import track

    wanted = set(tournament.games)
    found = {trace.game: trace for trace in games.played if trace.game in wanted}
    left = len(wanted) - len(found)
    if found:
        print(f"{len(found)} of {len(wanted)} searches were made by an earlier command", flush=True)
    workers = max(1, min(left, config.workers or os.cpu_count() or 1))
    with closing(tournament.run(workers, found)) as playing:
        for trace in track(playing, description="searching", total=left, transient=True):
            games.add(trace)
            found[trace.game] = trace
    return list(found.values())


def _ordered(traces: list[Trace], tournament: Benchmark) -> list[Trace]:
    """Whatever search ended first, the standings come in the order of the flags."""
    return sorted(traces, key=lambda t: (tournament.scores.index(t.aim), tournament.samplers.index(t.sampler)))


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Every sampler on every score with every seed.

    scores   names of aims, see `TableObjective`
    band     lowest and highest multiply-adds of the networks that may be proposed and chosen
    free     whether a network that is proposed again costs nothing, see `simulate`
    """

    table: BenchmarkTable
    make: MakeOptimizer
    samplers: tuple[str, ...]
    scores: tuple[str, ...]
    trials: int
    seeds: Sequence[int]
    band: Band | None = None
    free: bool = False

    @cached_property
    def aims(self) -> list[TableObjective]:
        """What is maximised, one for each score."""
        return [TableObjective(score, self.table, self.band) for score in self.scores]

    def check(self) -> None:
        """Raise ValueError where a score or sampler cannot be had; before anything is searched."""
        for aim in self.aims:
            aim.regret  # noqa: B018
            for sampler in self.samplers:
                self.make(sampler, aim, self.trials, 0)

    @cached_property
    def games(self) -> list[SearchId]:
        """All searches."""
        return list(product(self.samplers, self.scores, self.seeds))

    def run(self, workers: int = 1, over: Collection[SearchId] = ()) -> Generator[Trace]:
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
                    submitted = [pool.submit(_search, *game) for game in games]
                yield from (done.result() for done in as_completed(submitted))
            except BaseException:
                # The pool itself would play what has begun to its end.
                for process in set(context.active_children()) - others:
                    process.terminate()
                raise

    def game(self, sampler: str, score: str, seed: int) -> Trace:
        """One search."""
        aim = self.aims[self.scores.index(score)]
        return simulate(sampler, self.make, aim, self.trials, seed, free=self.free)


def _enter(tournament: Benchmark) -> None:
    """Keep the tournament in a worker process, so that the table travels once."""
    _playing[:] = [tournament]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next game for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _search(sampler: str, score: str, seed: int) -> Trace:
    return _playing[0].game(sampler, score, seed)


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

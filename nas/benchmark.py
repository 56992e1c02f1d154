"""Judge strategies on tables: `python -m nas.benchmark --table nas-bench-201:cifar100`; see docs/benchmark.md."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas import samplers, tables
from search_spaces import commandline
from search_spaces.counting import Band
from search_spaces.flags import check_different, check_least
from search_spaces.units import parse_count

if TYPE_CHECKING:
    from nas.tables.contest import MakePlayer, Trace
    from nas.tables.folder import Games
    from nas.tables.standings import Standing
    from nas.tables.table import Table
    from nas.tables.tournament import Tournament

DESCRIPTION = (
    "Judge search strategies on a table of networks that others have trained: mean regret against trials, with "
    "intervals over seeds, and the seconds that a suggestion costs."
)
SCORES = ("accuracy", "reward50", "hard25", "hard50", "hard75")
AT = (50, 100, 200)
# What decides how a search goes, besides table, program and cost band.
DECISIVE = ("table", "trials", "free_repeats")


@dataclass(frozen=True)
class BenchmarkConfig:
    """Which strategies are judged, on which table, and how long.

    Attributes:
        table: Needed: nas-bench-macro:FILE, nas-bench-201:DATASET (cifar10, cifar100, imagenet16-120), or csv:FILE.
        strategies: Strategies by name; all of them unless given.
        scores: accuracy, rewardP, the MnasNet reward with T at the P-th percentile of MACs, hardP, its hard constraint
            there; accuracy reward50 hard25 hard50 hard75 unless given (without multiply-adds accuracy alone).
        trials: Trainings a search.
        seeds: Searches of each strategy, each with its own seed.
        first_seed: The first of these seeds.
        at: Trials at which regrets are printed, besides the last one; 50 100 200, those that there are, unless given.
        cost_band: Multiply-adds, lowest and highest such as 30M 60M, of the networks that may be proposed and
            chosen, and no multiples of a target as in nas.search; all unless given.
        free_repeats: A network that is proposed again shows its old score and costs nothing, as in nas.search.
        measured: csv, columns of what was measured, one or several repetitions.
        choices: csv, columns of choices; all that are nothing else unless given.
        macs: csv, column of multiply-adds; none unless given.
        params: csv, column of parameters; none unless given.
        minimize: csv, lower is better.
        workers: Searches side by side, one thread each; as many as there are CPU cores unless given.
        run: Folder for results.json, curves.csv, regret.svg and config.yaml. The same command goes on where it was
            ended; what an earlier benchmark left is replaced.
        new: Begin anew, without the searches that an unfinished command made.

    """

    table: str = ""
    strategies: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    trials: int = 200
    seeds: int = 50
    first_seed: int = 0
    at: tuple[int, ...] = ()
    cost_band: tuple[int | float | str, ...] = ()
    free_repeats: bool = False
    measured: tuple[str, ...] = ("accuracy",)
    choices: tuple[str, ...] = ()
    macs: str = ""
    params: str = ""
    minimize: bool = False
    workers: int | None = None
    run: str = "runs/benchmark"
    new: bool = False

    def __post_init__(self) -> None:
        if not self.table:
            raise ValueError(f"--table is needed, such as {' or '.join(tables.EXAMPLES.values())}")
        check_least(self, {"trials": 1, "seeds": 1, "first_seed": 0, "workers": 1})
        for name in ("strategies", "scores"):
            check_different(name, getattr(self, name))
        if not all(1 <= trial <= self.trials for trial in self.at):
            raise ValueError(f"--at must be of 1 to {self.trials} (--trials), got {' '.join(map(str, self.at))}")
        self.band  # noqa: B018

    @property
    def columns(self) -> tables.Columns:
        """What the columns of a CSV file are."""
        return tables.Columns(self.measured, self.choices, self.macs, self.params, self.minimize)

    @property
    def band(self) -> Band | None:
        """The cost band in multiply-adds."""
        if not self.cost_band:
            return None
        given = " ".join(map(str, self.cost_band))
        try:
            low, high = (parse_count(str(end)) for end in self.cost_band)
        except ValueError:
            raise ValueError(f"--cost-band must be two counts of multiply-adds such as 30M 60M, got {given}") from None
        if low > high:
            raise ValueError(f"--cost-band must be lowest and highest, got {given}")
        return low, high

    @property
    def shown(self) -> tuple[int, ...]:
        """The trials at which regrets are printed."""
        return tuple(sorted({self.trials, *(self.at or (trial for trial in AT if trial <= self.trials))}))


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is searched."""
    config = commandline.parse(BenchmarkConfig, argv, prog="python -m nas.benchmark", description=DESCRIPTION)
    for strategy in config.strategies:
        samplers.check(strategy)
    from nas.tables.players import make_player

    judge(config, make_player, config.strategies or samplers.STRATEGIES)
    return 0


def judge(config: BenchmarkConfig, make: MakePlayer, strategies: tuple[str, ...]) -> list[Standing]:
    """Judge the strategies that `make` makes, print the standings and write them down.

    Raises ValueError, before anything is searched, where the table, a score, a strategy or the folder cannot be had.
    """
    from nas.tables import folder
    from nas.tables.standings import standings, text
    from nas.tables.tournament import Tournament

    table = tables.load(config.table, config.columns)
    scores = config.scores or (SCORES if table.macs is not None else SCORES[:1])
    seeds = range(config.first_seed, config.first_seed + config.seeds)
    tournament = Tournament(
        table, make, strategies, scores, config.trials, seeds, band=config.band, free=config.free_repeats
    )
    tournament.check()
    settings = folder.fingerprint(table, make) | {name: getattr(config, name) for name in DECISIVE}
    with folder.opened(config.run, settings | {"cost_band": config.band and [*config.band]}, anew=config.new) as games:
        print(describe(table, tournament), flush=True)
        found = standings(_ordered(_watched(tournament, config, games), tournament))
        shown = text(found, config.shown, tournament.aims)
        write(config, found, tournament, f"{describe(table, tournament)}\n\n{shown}\n")
        games.discard()
    print(f"\n{shown}\n\nwritten to {config.run}: results.json, curves.csv, regret.svg, report.txt")
    return found


def describe(table: Table, tournament: Tournament) -> str:
    """The table and what is played on it, in two lines."""
    least, most = int(table.repetitions.min()), int(table.repetitions.max())
    repetitions = f"{least}" if least == most else f"{least} to {most}"
    repeats = "repeats are free" if tournament.free else "every proposal is a trial"
    return (
        f"{table.name}: {len(table.truth)} networks ({table.space.size} encodings), each measured {repetitions} times, "
        f"best mean {table.truth.max():.4g}\n"
        f"{tournament.trials} trials, {len(tournament.seeds)} seeds, {repeats}"
    )


def write(config: BenchmarkConfig, found: Sequence[Standing], tournament: Tournament, report: str) -> None:
    """Write what came out into the run folder."""
    from nas.tables.figure import draw
    from nas.tables.standings import frame, results
    from search_spaces.files import atomic_write

    folder = Path(config.run)
    config = dataclasses.replace(config, new=False)
    settings = commandline.plain(config)
    largest = {aim.name: aim.regret_of_largest for aim in tournament.aims}
    plain = {"config": settings, "largest_network": largest, "standings": results(found, config.shown)}
    atomic_write(folder / "config.yaml", commandline.to_yaml(config))
    atomic_write(folder / "results.json", json.dumps(plain, indent=1) + "\n")
    atomic_write(folder / "curves.csv", frame(found).to_csv(index=False, float_format="%.6g"))
    atomic_write(folder / "regret.svg", draw(found, tournament.aims))
    atomic_write(folder / "report.txt", report)


def _watched(tournament: Tournament, config: BenchmarkConfig, games: Games) -> list[Trace]:
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


def _ordered(traces: list[Trace], tournament: Tournament) -> list[Trace]:
    """Whatever search ended first, the standings come in the order of the flags."""
    return sorted(traces, key=lambda t: (tournament.scores.index(t.aim), tournament.strategies.index(t.strategy)))


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))

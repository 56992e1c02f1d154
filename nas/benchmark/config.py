"""The configuration of a benchmark of samplers."""

from __future__ import annotations

from dataclasses import dataclass

from nas.tables import registry as tables
from search_spaces.common.checks import check_different, check_minimum
from search_spaces.common.settings import setting
from search_spaces.common.units import parse_count
from search_spaces.counting.band import Band

SCORES = ("accuracy", "reward50", "hard25", "hard50", "hard75")
AT = (50, 100, 200)
# Settings that every search depends on, besides table, program and cost band.
SEARCH_SETTINGS = ("table", "trials", "free_repeats")


@dataclass(frozen=True)
class BenchmarkConfig:
    """The samplers to compare, the table, and the length of the searches.

    Attributes:
        table: Table of trained networks (required): nas-bench-macro:FILE, nas-bench-201:DATASET (cifar10, cifar100 or
            imagenet16-120), or csv:FILE.
        samplers: Samplers to compare: {names}. Default: all.
        scores: Scores to maximise: accuracy; rewardP, the MnasNet reward with T at the P-th percentile of
            multiply-adds; hardP, accuracy under MnasNet's hard constraint with that T. Default: accuracy reward50
            hard25 hard50 hard75, or accuracy alone for a table without multiply-adds.
        trials: Trainings per search.
        seeds: Searches per sampler, each with its own seed.
        first_seed: The seed of each sampler's first search.
        at: Numbers of trials at which regrets are printed, besides the last one. Default: 50 100 200, up to --trials.
        cost_band: Lowest and highest multiply-adds, such as 30M 60M, of the networks that may be proposed and chosen;
            unlike in nas.search these are no multiples of a target. Default: all networks.
        free_repeats: A network that is proposed again has its earlier score and costs no trial, as in nas.search.
        measured: Columns of a csv table that hold the repetitions of the measurement.
        choices: Columns of a csv table that hold the choices. Default: all columns without another use.
        macs: Column of a csv table that holds multiply-adds. Default: none.
        params: Column of a csv table that holds parameters. Default: none.
        minimize: Lower measurements of a csv table are better.
        workers: Searches at once, with one thread each. Default: the number of CPU cores.
        run: Folder for results.json, curves.csv, regret.svg, report.txt and config.yaml. The same command resumes an
            interrupted benchmark and replaces the results of a finished one.
        new: Start anew, without the searches of an interrupted command.

    """

    table: str = ""
    samplers: tuple[str, ...] = setting((), registry="nas.samplers.registry:SAMPLERS")
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
            raise ValueError(f"--table is required, such as {' or '.join(tables.EXAMPLES.values())}")
        check_minimum(self, {"trials": 1, "seeds": 1, "first_seed": 0, "workers": 1})
        for name in ("samplers", "scores"):
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
    def reported_trials(self) -> tuple[int, ...]:
        """The trials at which regrets are printed."""
        return tuple(sorted({self.trials, *(self.at or (trial for trial in AT if trial <= self.trials))}))

"""The settings of a benchmark of samplers."""

from __future__ import annotations

from dataclasses import dataclass

from nas.tables import registry as tables
from search_spaces.common.checks import check_different, check_minimum
from search_spaces.common.units import parse_count
from search_spaces.counting.band import Band

SCORES = ("accuracy", "reward50", "hard25", "hard50", "hard75")
AT = (50, 100, 200)
# What decides how a search goes, besides table, program and cost band.
DECISIVE = ("table", "trials", "free_repeats")


@dataclass(frozen=True)
class BenchmarkConfig:
    """Which samplers are judged, on which table, and how long.

    Attributes:
        table: Needed: nas-bench-macro:FILE, nas-bench-201:DATASET (cifar10, cifar100, imagenet16-120), or csv:FILE.
        samplers: Samplers by name; all of them unless given.
        scores: accuracy, rewardP, the MnasNet reward with T at the P-th percentile of MACs, hardP, its hard constraint
            there; accuracy reward50 hard25 hard50 hard75 unless given (without multiply-adds accuracy alone).
        trials: Trainings a search.
        seeds: Searches of each sampler, each with its own seed.
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
    samplers: tuple[str, ...] = ()
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
    def shown(self) -> tuple[int, ...]:
        """The trials at which regrets are printed."""
        return tuple(sorted({self.trials, *(self.at or (trial for trial in AT if trial <= self.trials))}))

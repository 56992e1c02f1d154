"""A benchmark's searches, and everything that can be wrong before the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from nas.benchmark.config import SCORES, BenchmarkConfig
from nas.benchmark.objective import TableObjective
from nas.benchmark.simulate import MakeOptimizer, SearchId, Trace, simulate
from nas.tables import registry as tables
from nas.tables.table import BenchmarkTable
from search_spaces.counting.band import Band


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Every sampler on every score with every seed.

    make     makes the optimizer of a sampler
    scores   names of objectives, see `TableObjective`
    band     lowest and highest multiply-adds of the networks that may be proposed and chosen
    free     whether a network that is proposed again costs no trial, see `simulate`
    """

    table: BenchmarkTable
    make: MakeOptimizer
    samplers: tuple[str, ...]
    scores: tuple[str, ...]
    trials: int
    seeds: Sequence[int]
    band: Band | None = None
    free: bool = False

    @classmethod
    def of(cls, config: BenchmarkConfig, make: MakeOptimizer, samplers: tuple[str, ...]) -> Benchmark:
        """The benchmark of a configuration. Raises ValueError for an invalid table, score, sampler or band."""
        table = tables.load(config.table, config.columns)
        scores = config.scores or (SCORES if table.macs is not None else SCORES[:1])
        seeds = range(config.first_seed, config.first_seed + config.seeds)
        made = cls(table, make, samplers, scores, config.trials, seeds, config.band, config.free_repeats)
        made.check()
        return made

    def check(self) -> None:
        """Raise ValueError for a score or a sampler that the table or the number of trials does not allow."""
        for objective in self.objectives:
            objective.regret  # noqa: B018
            for sampler in self.samplers:
                self.make(sampler, objective, self.trials, 0)

    @cached_property
    def objectives(self) -> list[TableObjective]:
        """What is maximised, one for each score."""
        return [TableObjective(score, self.table, self.band) for score in self.scores]

    @cached_property
    def searches(self) -> list[SearchId]:
        """All searches."""
        return list(product(self.samplers, self.scores, self.seeds))

    def search(self, sampler: str, score: str, seed: int) -> Trace:
        """Run one search."""
        objective = self.objectives[self.scores.index(score)]
        return simulate(sampler, self.make, objective, self.trials, seed, free=self.free)

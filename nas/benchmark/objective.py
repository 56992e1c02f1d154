"""What is maximised on a table: the measurement, or a reward whose target is a percentile of the costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from nas.objectives.form import Objective
from nas.objectives.registry import make_objective
from nas.objectives.rewards import Aim
from nas.tables.table import BenchmarkTable, Floats, TableSpace
from search_spaces.counting.band import Band
from search_spaces.spaces.space import Ints

MEASURED = "accuracy"
KINDS = {"reward": "soft", "hard": "hard"}
_SCORE = re.compile(r"(reward|hard)(\d{1,2}|100)")


def parse(name: str) -> tuple[str, int] | None:
    """The objective's kind and the percentile in "reward25"; None for "accuracy". Raises ValueError for other texts."""
    if name == MEASURED:
        return None
    if not (found := _SCORE.fullmatch(name)):
        raise ValueError(f"--scores must be accuracy, or reward or hard and a percentile such as hard50, got '{name}'")
    return KINDS[found[1]], int(found[2])


@dataclass(frozen=True)
class TableObjective:
    """What is maximised over the networks of a table, or over those in the band if there is one.

    name   "accuracy", the measurement; "reward25", the soft reward (MnasNet, section 3) with T at the 25th percentile
           of the multiply-adds of the networks inside the band; "hard25", the reward under a hard constraint: accuracy
           up to T, accuracy times T/macs above. Soft rewards of different T differ by a constant factor only.
    """

    name: str
    table: BenchmarkTable
    band: Band | None = None

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """[networks] which networks may be chosen."""
        return self.table.inside(self.band)

    @cached_property
    def reward(self) -> Objective | None:
        """The reward with its target; None if the measurement is the score."""
        if (parsed := parse(self.name)) is None:
            return None
        kind, percentile = parsed
        macs = self.table.known_macs(f"score {self.name}")[self.inside]
        if not (self.table.truth > 0).all():
            raise ValueError(f"score {self.name} needs measured values above 0, those of {self.table.name} are not")
        return make_objective(kind, Aim(round(float(np.percentile(macs, percentile)))))

    @property
    def target(self) -> int:
        """T of the reward, in multiply-adds. There must be a reward."""
        assert self.reward is not None
        base = self.reward.terms[0].base
        assert base is not None
        return round(base)

    @cached_property
    def factors(self) -> Floats:
        """[networks] the score over the measurement, which is known before training."""
        if self.reward is None:
            return np.ones(len(self.table.measured))
        return np.array([self.reward.reward(1.0, {"macs": macs}) for macs in self.table.known_macs(self.name).tolist()])

    @property
    def factor(self) -> Callable[[Ints], Floats] | None:
        """The factors [n] of encodings [n, k], for samplers that predict accuracy; None without a reward."""
        # Not a method: through its `self` a sampler could read the measurements.
        return None if self.reward is None else partial(_known, self.factors, self.table.space)

    @cached_property
    def regret(self) -> Floats:
        """[networks] the difference from the best network inside the band, by true means."""
        truth = self.table.truth * self.factors
        return np.asarray(truth[self.inside].max() - truth)

    @cached_property
    def regret_of_largest(self) -> float | None:
        """The regret of the network with the most multiply-adds, which needs no search; None without multiply-adds."""
        if self.table.macs is None:
            return None
        return float(self.regret[np.argmax(np.where(self.inside, self.table.macs, -1))])


def _known(factors: Floats, space: TableSpace, encodings: Ints) -> Floats:
    return np.asarray(factors[space.network(encodings)])

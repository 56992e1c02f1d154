"""Which finalist wins: networks with several seeds, ranked by mean reward, and those not worse than the winner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nas.objectives.form import Objective
from nas.search.finalists import reward
from search_spaces.networks.arch import Arch
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.statistics.best import best_set
from studies.statistics.intervals import Estimate, mean_interval


@dataclass(frozen=True)
class Finalist:
    """A network trained with several seeds. `rewards` and `accuracies` are in the order of the seeds."""

    arch: Arch
    record: Record
    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    rewards: tuple[float, ...]

    @property
    def accuracy(self) -> Estimate:
        """Mean validation accuracy over the seeds, with its interval."""
        return mean_interval(self.accuracies)

    @property
    def reward(self) -> float:
        """Mean reward over the seeds."""
        return sum(self.rewards) / len(self.rewards)


@dataclass(frozen=True)
class Verdict:
    """The finalists in order.

    ranked  best mean reward first; the first is the winner
    equals  keys of the finalists that are not significantly different from the winner (multiple comparisons with the
            best, 95 %), without the winner's own; None with one seed each
    """

    ranked: tuple[Finalist, ...]
    equals: tuple[str, ...] | None

    @property
    def winner(self) -> Finalist:
        """The finalist with the highest mean reward."""
        return self.ranked[0]


def judge(records: Sequence[Record], objective: Objective) -> Verdict | None:
    """The verdict over the finished trainings of all finalists; None without a finished one."""
    ranked = finalists_of(records, objective)
    return Verdict(tuple(ranked), _equals(ranked)) if ranked else None


def finalists_of(records: Sequence[Record], objective: Objective) -> list[Finalist]:
    """Each network with its finished trainings, one for each seed, the best mean reward first."""
    groups: defaultdict[str, dict[int, Record]] = defaultdict(dict)
    for record in records:
        if record.outcome is Outcome.COMPLETE and record.accuracy is not None:
            groups[record.key].setdefault(record.seed, record)
    return sorted((_finalist(group.values(), objective) for group in groups.values()), key=lambda f: -f.reward)


def _finalist(group: Iterable[Record], objective: Objective) -> Finalist:
    ordered = sorted(group, key=lambda record: record.seed)
    return Finalist(
        arch=Arch.from_json(ordered[0].arch),
        record=ordered[0],
        seeds=tuple(record.seed for record in ordered),
        accuracies=tuple(record.accuracy or 0.0 for record in ordered),
        rewards=tuple(reward(record, objective) for record in ordered),
    )


def _equals(ranked: Sequence[Finalist]) -> tuple[str, ...] | None:
    if all(len(finalist.seeds) < 2 for finalist in ranked):
        return None
    blocked = len({finalist.seeds for finalist in ranked}) == 1
    best = best_set({finalist.record.key: finalist.rewards for finalist in ranked}, blocked=blocked)
    return tuple(key for key in best if key != ranked[0].record.key)

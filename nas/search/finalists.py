"""The second look: the best candidates trained longer with several seeds, and what can be said about the winner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nas.objectives import Objective, Relative
from nas.search.config import SearchConfig
from search_spaces.networks.arch import Arch
from studies.ledger.trial import Proposal, Record
from studies.outcome import Outcome
from studies.statistics.best import best_set
from studies.statistics.intervals import Estimate, gain_per_doubling, mean_interval

KIND = "finalist"
# A winner nearer to an end of the band than this share of its width suggests that the band, not the data, chose.
EDGE = 0.03


def choose(
    records: Sequence[Record], objective: Objective, number: int, posterior_means: Mapping[str, float] | None = None
) -> list[Record]:
    """The `number` different networks with the highest reward at the end of their training, best first.

    Candidates are ranked by the sampler's posterior mean, by key, if it has one, otherwise by the measured reward.
    """
    complete = [r for r in records if r.outcome is Outcome.COMPLETE and r.repeat_of is None and r.accuracy is not None]
    values = {record.key: reward(record, objective) for record in complete} | dict(posterior_means or {})
    ranked = sorted(complete, key=lambda record: (-values[record.key], record.number))
    return ranked[:number]


def reward(record: Record, objective: Objective) -> float:
    """The reward of a trial's last rung; the proxy's accuracy with the full network's cost."""
    assert record.accuracy is not None
    return objective.reward(record.accuracy, record.macs, Relative.of(record.rungs[-1]))


def proposals(chosen: Sequence[Record], config: SearchConfig) -> list[Proposal]:
    """Each finalist with each seed, seed by seed, so that an early end leaves whole blocks."""
    return [
        Proposal(
            choice=record.choice,
            key=record.key,
            arch=record.arch,
            macs=record.macs,
            params=record.params,
            activations=record.activations,
            phase=KIND,
            seed=config.seed + 1000 + block,
            proposed_by=record.proposed_by,
            notes={"candidate": record.number},
        )
        for block in range(config.finalist_seeds)
        for record in chosen
    ]


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
    """What the finalists' trainings say.

    ranked  best mean reward first; the first is the winner
    equals  keys of the finalists that cannot be told from the winner (multiple comparisons with the best, 95 %),
            the winner's own left out; None where one seed each cannot tell anything
    """

    ranked: tuple[Finalist, ...]
    equals: tuple[str, ...] | None

    @property
    def winner(self) -> Finalist:
        """The finalist with the highest mean reward."""
        return self.ranked[0]


def judge(records: Sequence[Record], objective: Objective) -> Verdict | None:
    """The verdict over all finalists' finished trainings; None where none has finished."""
    groups: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.outcome is Outcome.COMPLETE and record.accuracy is not None:
            groups[record.key].append(record)
    if not groups:
        return None
    ranked = sorted((_finalist(group, objective) for group in groups.values()), key=lambda f: -f.reward)
    return Verdict(tuple(ranked), _equals(ranked))


def _finalist(group: list[Record], objective: Objective) -> Finalist:
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


def gain_of_doubling(records: Sequence[Record]) -> Estimate | None:
    """Relative gain in accuracy per doubling of MACs among the candidates, at their first rung.

    Every candidate has a first rung, so early stopping biases nothing. None where costs or trials are too few.
    """
    firsts = [(r.macs, r.rungs[0]["accuracy"]) for r in records if r.rungs and r.repeat_of is None]
    usable = [(macs, accuracy) for macs, accuracy in firsts if accuracy > 0]
    if len(usable) < 3 or len({macs for macs, _ in usable}) < 2:
        return None
    macs, accuracies = zip(*usable, strict=True)
    return gain_per_doubling(macs, accuracies)


def at_edge(macs: int, band: tuple[int, int]) -> str:
    """Which end of the band a network lies at: "upper", "lower" or, away from both, nothing."""
    margin = EDGE * (band[1] - band[0])
    if macs > band[1] - margin:
        return "upper"
    return "lower" if macs < band[0] + margin else ""

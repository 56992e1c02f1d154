"""What a search found: the verdict over its finalists, the gain per doubling of cost, the winner's test accuracy."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from nas.objectives.form import Objective
from nas.search.finalists import reward
from nas.search.run import SearchRun
from search_spaces.metrics.audit import audit
from search_spaces.networks.arch import Arch
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.statistics.best import best_set
from studies.statistics.intervals import Estimate, gain_per_doubling, mean_interval

# A winner nearer to an end of the band than this share of the band's width is limited by the band.
EDGE_SHARE = 0.03


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


@dataclass(frozen=True)
class SearchResult:
    """The result of a search.

    verdict   winner and finalists, with accuracies on validation images
    test      the winner's accuracy on the test images, mean over its seeds; nothing else is scored on them
    gain      relative gain in accuracy per doubling of multiply-adds among the candidates; None if unknown
    edge      "upper" or "lower" if the winner lies at that end of the cost band
    outcomes  numbers of candidates by outcome
    trained   number of different networks that were trained
    fvcore    FLOPs that fvcore counts for the winner, batch norm and pooling included
    """

    session: SearchRun
    verdict: Verdict
    test: Estimate
    gain: Estimate | None
    edge: str
    outcomes: Counter[Outcome]
    trained: int
    fvcore: int


def conclude(session: SearchRun, records: Sequence[Record], verdict: Verdict) -> SearchResult:
    """The result of a search: the winner is scored on the test images and its cost is audited.

    Raises ValueError if the winner's weights are missing.
    """
    winner = verdict.winner
    final = [record for record in records if record.is_final]
    return SearchResult(
        session=session,
        verdict=verdict,
        test=mean_interval(_test_accuracies(session, winner)),
        gain=gain_of_doubling(final, session.region.metric.name),
        edge=at_edge(winner.record.metrics[session.region.metric.name], session.region.band),
        outcomes=Counter(record.outcome for record in final if record.outcome is not None),
        trained=len({record.key for record in final if record.rungs}),
        fvcore=audit(winner.arch).fvcore,
    )


def _test_accuracies(session: SearchRun, winner: Finalist) -> list[float]:
    """The accuracies of the winner's trained proxies on the test images."""
    from studies.trainer.checkpoint import load_weights
    from studies.trainer.scoring import score_on_test

    accuracies = []
    for seed in winner.seeds:
        weights = session.finalist_training.weights(winner.record.key, seed)
        if not weights.exists():
            raise ValueError(
                f"{weights} is missing: drivers that share a study need one --storage-path that all of them see"
            )
        arch, network = load_weights(weights)
        accuracies.append(score_on_test(network, session.data, resolution=arch.resolution).top1)
    return accuracies


def gain_of_doubling(records: Sequence[Record], metric: str) -> Estimate | None:
    """Relative gain in accuracy per doubling of a metric among the candidates, at their first rung.

    Every candidate has a first rung, so early stopping causes no bias. None if there are too few costs or trials.
    """
    firsts = [(r.metrics[metric], r.rungs[0]["accuracy"]) for r in records if r.rungs and r.repeat_of is None]
    usable = [(cost, accuracy) for cost, accuracy in firsts if accuracy > 0 and cost > 0]
    if len(usable) < 3 or len({cost for cost, _ in usable}) < 2:
        return None
    costs, accuracies = zip(*usable, strict=True)
    return gain_per_doubling(costs, accuracies)


def at_edge(cost: float, band: tuple[int, int]) -> str:
    """The end of the band that a network lies at: "upper", "lower" or, for neither, an empty text."""
    margin = EDGE_SHARE * (band[1] - band[0])
    if cost > band[1] - margin:
        return "upper"
    return "lower" if cost < band[0] + margin else ""

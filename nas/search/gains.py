"""What the winner gained over the controls that were trained beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from nas.controls.control import Control, Controls
from nas.objectives.form import Objective
from nas.search.conclusions import Gain, SearchConclusions
from nas.search.finalists import CONTROL_PHASE, PHASE
from nas.search.ranking import Finalist, Verdict, finalists_of, judge
from studies.ledger.trial import Record
from studies.statistics.intervals import Estimate
from studies.statistics.simultaneous import gains_over


@dataclass(frozen=True)
class TrainedControl:
    """A control with its trainings.

    control   the network
    result    rewards and accuracies by seed; None if no training ended
    problem   why it is not compared; empty if it was trained with all seeds
    """

    control: Control
    result: Finalist | None
    problem: str = ""


@dataclass(frozen=True)
class ControlResults:
    """The controls of a search, and what its winner gained over them.

    trained      every control, in the order in which they were chosen
    conclusions  the gains
    adopted      the best known control, if it is ahead and takes the winner's place
    """

    trained: tuple[TrainedControl, ...] = ()
    conclusions: SearchConclusions = field(default_factory=SearchConclusions)
    adopted: Finalist | None = None


def judge_all(
    records: Sequence[Record], controls: Controls, objective: Objective, *, only: bool = False, adopt: bool = False
) -> tuple[Verdict, ControlResults] | None:
    """The verdict over the finalists, or with `only` over the known controls, and the winner's gains over controls.

    With `adopt` the best known control is adopted if it is ahead. None if none of the finalists, or of the known
    controls, was trained to the end.
    """
    finalists = [record for record in records if record.phase == PHASE]
    ours = {record.key for record in finalists}
    known = {control.arch.key for control in controls.known}
    beside = [record for record in records if record.phase == CONTROL_PHASE and record.key not in ours]
    verdict = judge([record for record in beside if record.key in known] if only else finalists, objective)
    if verdict is None:
        return None
    trained = _trained([*finalists, *beside], controls, objective, verdict.winner.seeds)
    conclusions = _conclude(verdict, trained, only=only)
    if not (adopt and conclusions.is_control_ahead):
        return verdict, ControlResults(trained, conclusions)
    best = max(_known(trained), key=lambda one: one.reward)
    name = next(one.control.title for one in trained if one.result is best)
    return verdict, ControlResults(trained, replace(conclusions, adopted=name), best)


def _trained(
    records: Sequence[Record], controls: Controls, objective: Objective, seeds: tuple[int, ...]
) -> tuple[TrainedControl, ...]:
    results = {one.record.key: one for one in finalists_of(records, objective)}
    found = []
    for control in controls.all:
        result = results.get(control.arch.key)
        missing = set(seeds) - set(result.seeds if result else ())
        problem = ""
        if missing:
            outcomes = Counter(str(r.outcome) for r in records if r.key == control.arch.key and r.seed in missing)
            listed = ", ".join(f"{number} {name}" for name, number in outcomes.items())
            problem = f"{len(missing)} of {len(seeds)} seeds failed ({listed or 'not trained'})"
        found.append(TrainedControl(control, result, problem))
    return tuple(found)


def _known(trained: Sequence[TrainedControl]) -> list[Finalist]:
    """The known controls that are compared."""
    return [one.result for one in trained if one.result and not one.problem and not one.control.is_random]


def _is_compared(one: TrainedControl) -> bool:
    return one.result is not None and not one.problem


def _conclude(verdict: Verdict, trained: Sequence[TrainedControl], *, only: bool) -> SearchConclusions:
    """The winner's gains. Seeds are blocks, so networks without all of the winner's seeds are left out.

    All finalists are compared with all controls at once, which corrects for the choice of the winner among them.
    """
    seeds, winner = verdict.winner.seeds, verdict.winner.record.key
    candidates = [one for one in verdict.ranked if set(seeds) <= set(one.seeds)]
    compared = [one for one in trained if _is_compared(one)]
    known = [] if only else [one.control for one in compared if not one.control.is_random]
    drawn = [one.control for one in compared if one.control.is_random]
    against = [[control.arch.key] for control in known] + ([[control.arch.key for control in drawn]] if drawn else [])
    networks = {one.record.key: one for one in [*candidates, *(one.result for one in compared if one.result)]}
    keys = [one.record.key for one in candidates]

    def estimates(values: Callable[[Finalist], dict[int, float]]) -> list[Estimate]:
        groups = {key: [values(one)[seed] for seed in seeds] for key, one in networks.items()}
        return [gain.difference for gain in gains_over(groups, keys, against) if gain.candidate == winner]

    names = [control.title for control in known] + (["random"] if drawn else [])
    rewards = estimates(lambda one: dict(zip(one.seeds, one.rewards, strict=True)))
    accuracies = estimates(lambda one: dict(zip(one.seeds, one.accuracies, strict=True)))
    gains = [Gain(*of) for of in zip(names, rewards, accuracies, strict=True)]
    random = gains.pop() if drawn else None
    return SearchConclusions(tuple(gains), random, len(drawn), only=only)

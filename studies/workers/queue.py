"""The ledger as a source of jobs: what to run next, what to make of what comes back."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from studies.ledger.ledger import Ledger
from studies.ledger.trial import CANDIDATE, Proposal, Record
from studies.outcome import Ending, Outcome, Rung
from studies.workers.protocol import Job

RECOVER_SECONDS = 5.0
Score = Callable[[Record, Rung], float | Sequence[float]]
"""The objective(s) of a trial at a rung."""
Watch = Callable[[str, Record], None]
"""Told of every change, for progress displays: ("begin" | "rung" | "end", the trial as it is now)."""


class TrialPlan(Protocol):
    """Which trials are wanted.

    generation   as many trials are begun together, before any of them runs
    """

    phase: str
    generation: int

    def next(self, ledger: Ledger) -> Proposal | None:
        """The next trial to begin, or None if all that are wanted are over or under way."""

    def is_done(self, ledger: Ledger) -> bool:
        """Whether all that are wanted are over."""


class Draws:
    """A number of trials, drawn one by one.

    draw(number, seeds) makes a draw: `number` counts the draws of the study, `seeds` seed its generator (see
    `Ledger.seed_sequence`); it may look at the ledger. None: there is nothing left to draw, and the search ends early.
    With a `generation` above 1 so many are drawn together, once all earlier ones are over.
    """

    def __init__(
        self,
        total: int,
        draw: Callable[[int, tuple[int, ...]], Proposal | None],
        phase: str = CANDIDATE,
        generation: int = 1,
    ) -> None:
        self.phase = phase
        self.generation = generation
        self._total = total
        self._draw = draw
        self._exhausted = False

    def next(self, ledger: Ledger) -> Proposal | None:
        index = ledger.index
        if self._exhausted or index.count(self.phase) + index.unfinished(self.phase) >= self._total:
            return None
        number = index.next_proposal_index(self.phase)
        if self.generation > 1 and number % self.generation == 0 and index.unfinished(self.phase):
            return None
        proposal = self._draw(number, ledger.seed_sequence(number))
        self._exhausted = proposal is None
        return proposal

    def is_done(self, ledger: Ledger) -> bool:
        index = ledger.index
        enough = self._exhausted or index.count(self.phase) >= self._total
        return enough and not index.unfinished(self.phase)


class Fixed:
    """A given list of trials of one phase: finalists, replicates. Those the ledger has already are not begun again."""

    def __init__(self, proposals: Sequence[Proposal]) -> None:
        phases = {proposal.phase for proposal in proposals}
        assert len(phases) == 1, "a list of trials has one phase"
        self.phase = phases.pop()
        self.generation = 1
        self._proposals = tuple(proposals)

    def next(self, ledger: Ledger) -> Proposal | None:
        index = ledger.index
        missing = (p for p in self._proposals if all(r.outcome is Outcome.INTERRUPTED for r in index.same(p.identity)))
        return next(missing, None)

    def is_done(self, ledger: Ledger) -> bool:
        index = ledger.index
        return all(any(r.is_final for r in index.same(p.identity)) for p in self._proposals)


class TrialQueue:
    """A `Source` (see execution.py) that hands out a plan's trials and writes everything into the ledger.

    A proposal whose network has been judged already takes the recorded result at once; one whose network is being
    trained at the moment waits for that result.
    """

    def __init__(
        self,
        ledger: Ledger,
        plan: TrialPlan,
        score: Score,
        *,
        payload: Mapping[str, Any] | None = None,
        watch: Watch | None = None,
    ) -> None:
        """
        Args:
            ledger: where everything is written
            plan: which trials are wanted
            score: the objective at a rung, one number or one for each of the study's directions
            payload: plain JSON values that join every job's own (id, phase, arch, seed, choice, notes)
            watch: told of every change

        """
        self._ledger = ledger
        self._plan = plan
        self._score = score
        self._payload = dict(payload or {})
        self._watch = watch or _watch_nothing
        self._followers: defaultdict[int, list[int]] = defaultdict(list)
        self._ready: list[Record] = []
        self._looked = time.monotonic()

    def next_job(self) -> Job | None:
        """See Source."""
        while (record := self._next_record()) is not None:
            if not self._is_settled(record):
                self._watch("begin", record)
                return self._job(record)
        self._look_for_the_dead()
        return None

    def is_finished(self) -> bool:
        """See Source."""
        return not self._ready and self._plan.is_done(self._ledger)

    def report(self, job_id: int, rung: Rung) -> bool:
        """See Source."""
        record = self._ledger.index.records[job_id]
        value = self._score(record, rung)
        stop = self._ledger.report(job_id, rung, value if isinstance(value, float | int) else None)
        self._tell_watch("rung", job_id)
        return stop

    def finish(self, job_id: int, ending: Ending) -> None:
        """See Source."""
        if ending.outcome is Outcome.INTERRUPTED:
            self._ledger.interrupt(job_id, ending.reason)
        else:
            self._ledger.finish(job_id, *self._judge(job_id, ending))
        self._tell_watch("end", job_id)
        self._settle_followers(job_id)

    def _next_record(self) -> Record | None:
        if self._ready:
            return self._ready.pop(0)
        if (again := self._ledger.claim(self._plan.phase)) is not None:
            return again
        for _ in range(self._plan.generation):
            if (proposal := self._plan.next(self._ledger)) is None:
                break
            self._ready.append(self._begin(proposal))
        return self._ready.pop(0) if self._ready else None

    def _begin(self, proposal: Proposal) -> Record:
        known = self._ledger.index.find(proposal.identity)
        if known is not None and known.outcome is not None:
            return self._ledger.repeat(proposal, known)
        return self._ledger.begin(proposal)

    def _is_settled(self, record: Record) -> bool:
        """Whether a trial needs no training: its result is known, or will be when another trial ends."""
        if record.outcome is not None:
            self._watch("end", record)
            return True
        known = next((r for r in self._ledger.index.same(record.identity) if self._can_stand_for(r, record)), None)
        if known is None:
            return False
        if known.outcome is None:
            self._followers[known.number].append(record.number)
        else:
            self._ledger.repeat_running(record.number, known)
            self._tell_watch("end", record.number)
        return True

    def _can_stand_for(self, known: Record, record: Record) -> bool:
        if known.number == record.number or known.repeat_of is not None:
            return False
        if known.outcome is not None:
            return known.outcome.is_repeatable
        is_follower = any(known.number in numbers for numbers in self._followers.values())
        return self._ledger.is_mine(known.number) and known not in self._ready and not is_follower

    def _settle_followers(self, job_id: int) -> None:
        """Give the trials that waited for this one its result, or their turn if it has none to give."""
        followers = self._followers.pop(job_id, [])
        records = self._ledger.index.records
        self._ready.extend(records[number] for number in followers)

    def _judge(self, job_id: int, ending: Ending) -> tuple[Ending, tuple[float, ...] | None]:
        """The ending with the objective's values; a completed trial without any is no completed trial."""
        if ending.outcome is not Outcome.COMPLETE:
            return ending, None
        record = self._ledger.index.records[job_id]
        if not record.rungs:
            return _changed(ending, Outcome.ERROR, "the evaluation yielded nothing"), None
        score = self._score(record, record.rungs[-1])
        values = (float(score),) if isinstance(score, float | int) else tuple(float(v) for v in score)
        if any(math.isnan(value) for value in values):
            return _changed(ending, Outcome.NAN, "the objective is not a number"), None
        return ending, values

    def _job(self, record: Record) -> Job:
        own = {"phase": record.phase, "arch": record.arch, "seed": record.seed, "choice": dict(record.choice)}
        return {**self._payload, **own, "notes": dict(record.notes), "id": record.number}

    def _look_for_the_dead(self) -> None:
        """While there is nothing to do, see whether another driver died and left something."""
        if time.monotonic() - self._looked > RECOVER_SECONDS:
            self._looked = time.monotonic()
            self._ledger.recover()

    def _tell_watch(self, event: str, number: int) -> None:
        self._watch(event, self._ledger.index.records[number])


def _watch_nothing(_event: str, _record: Record) -> None: ...


def _changed(ending: Ending, outcome: Outcome, reason: str) -> Ending:
    return Ending(outcome, reason, ending.seconds, ending.worker, ending.traceback)

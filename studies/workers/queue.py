"""The ledger as a source of jobs: which trial runs next, and how its results are recorded."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from studies.ledger.ledger import Ledger
from studies.ledger.trial import CANDIDATE, Proposal, Record
from studies.outcome import Ending, Outcome, Rung
from studies.workers.protocol import Job

RECOVER_SECONDS = 5.0
Score = Callable[[Record, Rung], float | Sequence[float]]
"""The objective(s) of a trial at a rung."""
Watch = Callable[[str, Record], None]
"""Called on every change of a trial: ("begin" | "rung" | "end", the trial as it is now)."""


class TrialPlan(Protocol):
    """Which trials are wanted.

    phases       of them
    generation   as many trials are begun together, before any of them runs
    """

    phases: tuple[str, ...]
    generation: int

    def next(self, ledger: Ledger) -> Proposal | None:
        """The next trial to begin, or None if all that are wanted are over or running."""

    def is_done(self, ledger: Ledger) -> bool:
        """Whether all that are wanted are over."""


class Draws:
    """A number of trials that a function proposes one by one.

    draw(number, seeds) makes a proposal: `number` counts the study's proposals, `seeds` seed its generator (see
    `Ledger.seed_sequence`); it may read the ledger. None ends the search early, because nothing is left to propose.
    With a `generation` above 1 so many are proposed together, once all earlier ones are over.
    """

    def __init__(
        self,
        total: int,
        draw: Callable[[int, tuple[int, ...]], Proposal | None],
        phase: str = CANDIDATE,
        generation: int = 1,
    ) -> None:
        self.phases: tuple[str, ...] = (phase,)
        self.generation = generation
        self._phase = phase
        self._total = total
        self._draw = draw
        self._exhausted = False

    def next(self, ledger: Ledger) -> Proposal | None:
        index = ledger.index
        if self._exhausted or index.count(self._phase) + index.unfinished(self._phase) >= self._total:
            return None
        number = index.next_proposal_index(self._phase)
        if self.generation > 1 and number % self.generation == 0 and index.unfinished(self._phase):
            return None
        proposal = self._draw(number, ledger.seed_sequence(number))
        self._exhausted = proposal is None
        return proposal

    def is_done(self, ledger: Ledger) -> bool:
        index = ledger.index
        enough = self._exhausted or index.count(self._phase) >= self._total
        return enough and not index.unfinished(self._phase)


class Fixed:
    """A given list of trials: finalists, replicates. Those that the ledger has are not begun again."""

    def __init__(self, proposals: Sequence[Proposal]) -> None:
        self.phases = tuple(dict.fromkeys(proposal.phase for proposal in proposals))
        self.generation = 1
        self._proposals = tuple(proposals)

    def next(self, ledger: Ledger) -> Proposal | None:
        index = ledger.index
        missing = (p for p in self._proposals if all(r.outcome is Outcome.INTERRUPTED for r in index.same(p.identity)))
        return next(missing, None)

    def is_done(self, ledger: Ledger) -> bool:
        index = ledger.index
        return all(any(r.is_final for r in index.same(p.identity)) for p in self._proposals)


class _State(Enum):
    """What happens to a trial that this process has begun or claimed and that is not over."""

    READY = "handed out next, unless its result is known by then"
    RUNNING = "handed out"
    FOLLOWING = "waits for the result of a running trial of the same network"


class TrialQueue:
    """A `JobSource` that hands out a plan's trials and writes everything into the ledger.

    A proposal whose network was trained before takes the recorded result at once; one whose network is being trained
    waits for that result.
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
            watch: called on every change

        """
        self._ledger = ledger
        self._plan = plan
        self._score = score
        self._payload = dict(payload or {})
        self._watch = watch or _watch_nothing
        # By trial number; the ready ones are in the order in which they are handed out.
        self._states: dict[int, _State] = {}
        self._recovered = time.monotonic()

    def next_job(self) -> Job | None:
        """See JobSource."""
        while (number := self._next_ready()) is not None:
            record = self._record(number)
            if not self._is_settled(record):
                self._states[number] = _State.RUNNING
                self._watch("begin", record)
                return self._job(record)
        self._recover()
        return None

    def is_finished(self) -> bool:
        """See JobSource."""
        return _State.READY not in self._states.values() and self._plan.is_done(self._ledger)

    def report(self, job_id: int, rung: Rung) -> bool:
        """See JobSource."""
        value = self._score(self._record(job_id), rung)
        stop = self._ledger.report(job_id, rung, value if isinstance(value, float | int) else None)
        self._watch("rung", self._record(job_id))
        return stop

    def finish(self, job_id: int, ending: Ending) -> None:
        """See JobSource."""
        if ending.outcome is Outcome.INTERRUPTED:
            self._ledger.interrupt(job_id, ending.reason)
        else:
            self._ledger.finish(job_id, *self._with_values(job_id, ending))
        self._end(self._record(job_id))

    def _next_ready(self) -> int | None:
        """The trial to hand out next; if there is none, trials are taken over or begun."""
        if (number := self._first_ready()) is not None:
            return number
        waiting = (self._ledger.claim(phase) for phase in self._plan.phases)
        if (claimed := next((record for record in waiting if record is not None), None)) is not None:
            self._states[claimed.number] = _State.READY
        else:
            for _ in range(self._plan.generation):
                if (proposal := self._plan.next(self._ledger)) is None:
                    break
                self._states[self._begin(proposal).number] = _State.READY
        return self._first_ready()

    def _first_ready(self) -> int | None:
        return next((number for number, state in self._states.items() if state is _State.READY), None)

    def _begin(self, proposal: Proposal) -> Record:
        known = self._ledger.index.find(proposal.identity)
        if known is not None and known.outcome is not None:
            return self._ledger.repeat(proposal, known)
        return self._ledger.begin(proposal)

    def _is_settled(self, record: Record) -> bool:
        """Whether a ready trial needs no training: its result is known, or will be when another trial ends."""
        if record.outcome is None:
            same = self._ledger.index.same(record.identity)
            known = next((other for other in same if self._can_stand_for(other, record)), None)
            if known is None:
                return False
            if known.outcome is None:
                self._states[record.number] = _State.FOLLOWING
                return True
            self._ledger.repeat_running(record.number, known)
        self._end(self._record(record.number))
        return True

    def _can_stand_for(self, known: Record, record: Record) -> bool:
        """Whether a trial of the same network has a result for this one, or will have it."""
        if known.number == record.number or known.repeat_of is not None:
            return False
        if known.outcome is not None:
            return known.outcome.is_repeatable
        return self._states.get(known.number) is _State.RUNNING

    def _end(self, record: Record) -> None:
        """A trial is over: those that waited for it take its result, or run if it has none for them."""
        del self._states[record.number]
        self._watch("end", record)
        following = [number for number, state in self._states.items() if state is _State.FOLLOWING]
        for number in following:
            if self._record(number).identity == record.identity:
                # To the end of the queue.
                del self._states[number]
                self._states[number] = _State.READY

    def _with_values(self, job_id: int, ending: Ending) -> tuple[Ending, tuple[float, ...] | None]:
        """The ending with the objective's values. A trial without values is not complete."""
        if ending.outcome is not Outcome.COMPLETE:
            return ending, None
        record = self._record(job_id)
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

    def _recover(self) -> None:
        """While there is nothing to do, take over what another driver left when it died."""
        if time.monotonic() - self._recovered > RECOVER_SECONDS:
            self._recovered = time.monotonic()
            self._ledger.recover()

    def _record(self, number: int) -> Record:
        return self._ledger.index.records[number]


def _watch_nothing(_event: str, _record: Record) -> None: ...


def _changed(ending: Ending, outcome: Outcome, reason: str) -> Ending:
    return Ending(outcome, reason, ending.seconds, ending.worker, ending.traceback)

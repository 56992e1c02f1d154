"""A study's trials as records, indexed, and kept up to date without reading finished trials twice."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import optuna
from optuna.trial import FrozenTrial, TrialState

from studies.ledger.trial import Identity, Record, record_of
from studies.outcome import Outcome

REFRESH_SECONDS = 1.0


class Index:
    """The records of a study. `refresh` brings them up to date; everything else answers from memory.

    A refresh reads the storage after `invalidate`, which every write of this process calls, and otherwise once a second
    for what other drivers write.

    records  all trials, at the index of their number
    """

    def __init__(self, study: optuna.Study) -> None:
        self.records: list[Record] = []
        self._study = study
        self._refreshed = -math.inf
        self._trials: list[FrozenTrial] = []
        self._unfinished: set[int] = set()
        self._final: Counter[str] = Counter()
        self._next_indices: dict[str, int] = {}
        self._by_identity: defaultdict[Identity, list[int]] = defaultdict(list)
        self._interrupted: set[int] = set()
        self._retried: set[int] = set()

    def invalidate(self) -> None:
        """Have the next refresh read the storage: something was written."""
        self._refreshed = -math.inf

    def refresh(self) -> None:
        """Read new and unfinished trials from the storage, unless that was done a moment ago."""
        if time.monotonic() - self._refreshed <= REFRESH_SECONDS:
            return
        self._trials = self._study.get_trials(deepcopy=False)
        known = len(self.records)
        for number in sorted(self._unfinished):
            self.records[number] = record_of(self._trials[number])
            self._note_end(self.records[number])
        for trial in self._trials[known:]:
            record = record_of(trial)
            self.records.append(record)
            self._note_new(record)
            self._note_end(record)
        self._refreshed = time.monotonic()

    def trial(self, number: int) -> FrozenTrial:
        """The Optuna trial behind a record, not to be changed."""
        return self._trials[number]

    def values(self, number: int) -> list[float] | None:
        """The values Optuna holds for a trial; a pruned one has its last rung's."""
        values: list[float] | None = self._trials[number].values
        return values

    def next_proposal_index(self, phase: str) -> int:
        """Index of the next proposal of a phase, from 0."""
        return self._next_indices.get(phase, 0)

    def count(self, phase: str) -> int:
        """Trials of a phase that are over and count (not the interrupted ones)."""
        return self._final[phase]

    def running(self) -> Iterator[Record]:
        """Running trials of all drivers, in order of number."""
        return self._in_state(TrialState.RUNNING)

    def waiting(self, phase: str) -> Iterator[Record]:
        """Trials of a phase that are to be run again, in order of number."""
        return (record for record in self._in_state(TrialState.WAITING) if record.phase == phase)

    def unfinished(self, phase: str) -> int:
        """Trials of a phase that are running or waiting."""
        return sum(self.records[number].phase == phase for number in self._unfinished)

    def find(self, identity: Identity) -> Record | None:
        """The trial that has a proposal's result: one whose ending is the network's own, else a running one."""
        same = [self.records[number] for number in self._by_identity.get(identity, ())]
        settled = (r for r in same if r.outcome is not None and r.outcome.is_repeatable and r.repeat_of is None)
        running = (r for r in same if r.state == TrialState.RUNNING)
        return next(settled, None) or next(running, None)

    def same(self, identity: Identity) -> list[Record]:
        """All trials with an identity, in order of number."""
        return [self.records[number] for number in self._by_identity.get(identity, ())]

    def without_successor(self) -> list[Record]:
        """Interrupted trials that nobody has queued again."""
        return [self.records[number] for number in sorted(self._interrupted - self._retried)]

    def _in_state(self, state: TrialState) -> Iterator[Record]:
        return (self.records[number] for number in sorted(self._unfinished) if self.records[number].state == state)

    def _note_new(self, record: Record) -> None:
        self._by_identity[record.identity].append(record.number)
        self._next_indices[record.phase] = max(self._next_indices.get(record.phase, 0), record.proposal_index + 1)
        self._unfinished.add(record.number)
        if record.retry_of is not None:
            self._retried.add(record.retry_of)

    def _note_end(self, record: Record) -> None:
        if record.outcome is None:
            return
        self._unfinished.discard(record.number)
        if record.is_final:
            self._final[record.phase] += 1
        elif record.outcome is Outcome.INTERRUPTED:
            self._interrupted.add(record.number)

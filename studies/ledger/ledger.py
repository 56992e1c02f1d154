"""The ledger: an Optuna study that holds every trial, its results, and the driver that runs it.

A trial is in the storage or it did not happen. A driver opens the ledger, begins trials and finishes them, and may be
killed at any moment. The next driver that opens the ledger finds the trials that were running, marks them interrupted
and puts them back in the queue with the same choice and seed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from studies.ledger.index import Index
from studies.ledger.owner import Owner, Ownership
from studies.ledger.seeds import is_never_pruned, trial_seed
from studies.ledger.storage import open_study
from studies.ledger.trial import Proposal, Record
from studies.ledger.writer import STATES, FinishedElsewhereError, Writer
from studies.outcome import Ending, Outcome, Rung

_log = logging.getLogger(__name__)


class Ledger:
    """A durable set of trials; see the module. Made by `Ledger.open`; `close` it, or use it in a `with`.

    study  the Optuna study, for samplers, pruners and whoever reads; to be written through the ledger only
    seed   the study's seed
    """

    def __init__(
        self,
        study: optuna.Study,
        index: Index,
        writer: Writer,
        seed: int,
        ownership: Ownership | None,
        close: Callable[[], None],
    ) -> None:
        self.study = study
        self.seed = seed
        self._writer = writer
        self._ownership = ownership
        self._close = close
        self._index = index
        self._rungs: dict[int, list[Rung]] = {}

    @classmethod
    def open(
        cls,
        url: str | None,
        study_name: str,
        choices: Mapping[str, Sequence[Any]],
        *,
        directions: Sequence[str] = ("maximize",),
        sampler: BaseSampler | None = None,
        pruner: BasePruner | None = None,
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
        read_only: bool = False,
    ) -> Ledger:
        """Open a study, or make it, and take over what dead drivers left behind.

        Args:
            url: Optuna storage URL, sqlite:///runs/x/ledger.db say; None keeps everything in memory
            study_name: name of the study in that storage
            choices: the space's choices, {name: values}; values are bool, int, float or str
            directions: "maximize" or "minimize", one for each objective
            sampler: an Optuna sampler, if proposals use one
            pruner: decides on early stopping from the objective's values at each rung; by default none
            settings: plain JSON values that all trials of the study share; opening it with others is an error
            seed: of the study; part of the settings
            read_only: the study must exist, nothing is written, settings are not compared

        Raises ValueError, in one line, for a corrupt or foreign file, other settings or directions, a missing study.

        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        shared = None if read_only else {**(settings or {}), "seed": seed}
        study, storage, close = open_study(url, study_name, sampler, pruner, directions=directions, settings=shared)
        ownership = None if read_only else Ownership(study, Owner.here())
        index = Index(study)
        writer = Writer(study, storage, choices, on_write=index.invalidate)
        ledger = cls(study, index, writer, seed, ownership, close)
        if not read_only:
            ledger.recover()
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Put this driver's unfinished trials back in the queue, end its lease and disconnect."""
        if self._ownership is not None:
            for number in sorted(self._writer.mine):
                self.interrupt(number, "the driver ended")
            self._ownership.release()
        self._close()

    @property
    def index(self) -> Index:
        """All trials, indexed: what this process wrote at once, what other drivers wrote within a second."""
        self._index.refresh()
        return self._index

    def records(self) -> list[Record]:
        """All trials as they are now, in order of number."""
        self._index.invalidate()
        return list(self.index.records)

    def is_mine(self, number: int) -> bool:
        """Whether this process is running the trial."""
        return number in self._writer.mine

    def seed_sequence(self, proposal_index: int) -> tuple[int, ...]:
        """Seeds of the generator that makes a proposal: the study's seed and the proposal's index.

        So a study proposes the same candidates however often it is interrupted. While another driver works on the same
        study, this driver's id joins them, so that the two do not propose the same.
        """
        assert self._ownership is not None
        return (self.seed, proposal_index, *self._ownership.seed_sequence())

    def begin(self, proposal: Proposal) -> Record:
        """Write a trial down as running, owned by this process. Raises ValueError for a value outside the choices."""
        return self._create(proposal, TrialState.RUNNING, {})

    def repeat(self, proposal: Proposal, of: Record) -> Record:
        """Write a trial down that takes the recorded result of an earlier one of the same network."""
        assert of.outcome is not None
        result = {"seed": of.seed, "outcome": of.outcome, "reason": of.reason, "rungs": list(of.rungs)}
        return self._create(
            proposal, STATES[of.outcome], {**result, "repeat_of": of.number}, self._index.values(of.number)
        )

    def repeat_running(self, number: int, of: Record) -> None:
        """End a running trial with the recorded result of an earlier one of the same network."""
        assert of.outcome is not None
        self._writer.set(number, rungs=list(of.rungs), repeat_of=of.number, seed=of.seed)
        self.finish(number, Ending(of.outcome, of.reason), of.values)

    def claim(self, phase: str) -> Record | None:
        """Take over the oldest waiting trial of a phase, if there is one."""
        for record in list(self.index.waiting(phase)):
            if self._writer.claim(record.number, self._owner.as_dict()):
                return self.index.records[record.number]
        return None

    def report(self, number: int, rung: Rung, value: float | None = None) -> bool:
        """Record a rung; `value` is the objective there (None where there is more than one).

        Returns whether the trial should stop: the pruner says so and the trial may be pruned. A step reported again
        (the trial was restarted) replaces the earlier one.
        """
        step = int(rung["step"])
        rungs = [known for known in self._rungs.get(number, []) if known["step"] < step] + [dict(rung)]
        self._rungs[number] = rungs
        try:
            self._writer.set(number, rungs=rungs)
            if value is None:
                return False
            trial = self._writer.report(number, step, value)
        except FinishedElsewhereError:
            return True
        # Asked even for trials that are never pruned: a pruner may keep a record of its own.
        return self.study.pruner.prune(self.study, trial) and not trial.user_attrs["never_pruned"]

    def finish(self, number: int, ending: Ending, values: Sequence[float] | None = None) -> None:
        """Record how a trial ended. `values` are the objectives, for outcome complete only.

        If another driver has taken the trial over meanwhile (this one's lease had run out), the result is dropped.
        """
        state = STATES[ending.outcome]
        how = {"outcome": ending.outcome, "reason": ending.reason}
        try:
            self._writer.set(number, **how, seconds=round(ending.seconds, 4), worker=ending.worker)
            self._writer.tell(number, state, values if state == TrialState.COMPLETE else None)
        except FinishedElsewhereError:
            _log.warning("trial %d was taken over by another driver meanwhile: its result is dropped", number)
        self._forget(number)

    def interrupt(self, number: int, reason: str) -> None:
        """Mark a running trial interrupted and put it back in the queue with the same choice and seed."""
        try:
            self._writer.set(number, owner=self._owner.as_dict(), outcome=Outcome.INTERRUPTED, reason=reason)
            self._writer.tell(number, TrialState.FAIL)
            self._writer.enqueue_again(self.index.trial(number))
        except FinishedElsewhereError:
            _log.info("trial %d was finished by another driver meanwhile", number)
        self._forget(number)

    def recover(self) -> list[int]:
        """Put the trials of dead drivers back in the queue. Returns the numbers of the interrupted ones."""
        assert self._ownership is not None
        self._index.invalidate()
        leases = self._ownership.leases()
        lost = [record for record in self.index.running() if self._ownership.is_abandoned(record, leases)]
        for record in lost:
            pid, host = record.owner["pid"], record.owner["host"]
            self.interrupt(record.number, f"its driver is gone (process {pid} on {host})")
        # A driver that died between marking a trial and queueing it again leaves it without a successor.
        for record in self.index.without_successor():
            if self._ownership.is_abandoned(record, leases):
                self._writer.enqueue_again(self.index.trial(record.number))
        return [record.number for record in lost]

    @property
    def _owner(self) -> Owner:
        assert self._ownership is not None, "a ledger opened to read cannot be written"
        return self._ownership.owner

    def _create(
        self,
        proposal: Proposal,
        state: TrialState,
        attributes: Mapping[str, Any],
        values: Sequence[float] | None = None,
    ) -> Record:
        index = self.index.next_proposal_index(proposal.phase)
        seed = trial_seed(self.seed, proposal.phase, index) if proposal.seed is None else proposal.seed
        never_pruned = is_never_pruned(self.seed, proposal.phase, index)
        own = {"proposal_index": index, "seed": seed, "never_pruned": never_pruned, "owner": self._owner.as_dict()}
        number = self._writer.create(proposal, state, {**own, **attributes}, values)
        return self.index.records[number]

    def _forget(self, number: int) -> None:
        self._writer.forget(number)
        self._rungs.pop(number, None)

"""The ledger: an Optuna study that holds every trial, what came out of it, and who runs it.

A trial is in the storage or it did not happen. Whoever runs trials opens the ledger, begins and finishes them here and
may be killed at any moment: the next one to open it finds the trials that were under way, marks them interrupted and
puts them back in the queue with the same choice and seed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import TrialState, create_trial

from studies.catalogue import Catalogue
from studies.execution import Rung
from studies.lease import Owner
from studies.outcome import Ending, Outcome
from studies.ownership import Ownership
from studies.record import Proposal, Record
from studies.seeds import is_exempt, trial_seed
from studies.settings import agree
from studies.storage import open_storage

_log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0

STATES = {
    Outcome.COMPLETE: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    # A sampler ranks a pruned trial without a value below all others, and learns nothing from a failed one.
    Outcome.INFEASIBLE: TrialState.PRUNED,
    Outcome.NAN: TrialState.FAIL,
    Outcome.OUT_OF_MEMORY: TrialState.FAIL,
    Outcome.ERROR: TrialState.FAIL,
    Outcome.INTERRUPTED: TrialState.FAIL,
}


class Ledger:
    """A durable set of trials; see the module. Made by `Ledger.open`; `close` it, or use it in a `with`.

    study     the Optuna study, for samplers, pruners and whoever reads; to be written through the ledger only
    seed      the study's seed
    choices   the space's choices: {name: values}
    """

    def __init__(
        self,
        study: optuna.Study,
        storage: BaseStorage,
        choices: Mapping[str, Sequence[Any]],
        seed: int,
        owner: Owner | None,
    ) -> None:
        self.study = study
        self.seed = seed
        self.choices = {name: tuple(values) for name, values in choices.items()}
        self._storage = storage
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._distributions: dict[str, BaseDistribution] = {
            name: CategoricalDistribution(values) for name, values in self.choices.items()
        }
        self._catalogue = Catalogue(study)
        self._stale, self._refreshed = True, 0.0
        self._rungs: dict[int, list[Rung]] = {}
        self._ids: dict[int, int] = {}
        self._ownership = Ownership(study, owner) if owner else None

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
            sampler: an Optuna sampler, if draws use one
            pruner: decides on early stopping from the objective's values at each rung; none if not given
            settings: plain JSON values that all trials of the study share; opening it with others is an error
            seed: of the study; part of the settings
            read_only: only look: the study must exist, nothing is written

        Raises ValueError, in one line, for a corrupt or foreign file, other settings or directions, a missing study.

        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = open_storage(url, create=not read_only)
        try:
            load = optuna.load_study if read_only else optuna.create_study
            more: dict[str, Any] = {} if read_only else {"directions": list(directions), "load_if_exists": True}
            study = load(
                study_name=study_name,
                storage=storage,
                sampler=sampler,
                pruner=pruner or optuna.pruners.NopPruner(),
                **more,
            )
        except KeyError:
            raise ValueError(f"storage {url} holds no study '{study_name}'") from None
        agree(study, directions, {**(settings or {}), "seed": seed}, write=not read_only)
        ledger = cls(study, storage, choices, seed, None if read_only else Owner.here())
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
        """Put this driver's unfinished trials back in the queue and give its lease back."""
        if self._ownership is None:
            return
        for number in sorted(self._ids):
            self.interrupt(number, "the driver ended")
        self._ownership.release()
        self._storage.remove_session()

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def catalogue(self) -> Catalogue:
        """All trials as records: what this process wrote at once, what others wrote within REFRESH_SECONDS."""
        if self._stale or time.monotonic() - self._refreshed > REFRESH_SECONDS:
            self._catalogue.refresh()
            self._stale, self._refreshed = False, time.monotonic()
        return self._catalogue

    def records(self) -> list[Record]:
        """All trials in order of number."""
        return list(self.catalogue.records)

    @property
    def mine(self) -> frozenset[int]:
        """Numbers of the trials that this ledger's owner is running."""
        return frozenset(self._ids)

    def entropy(self, draw: int) -> tuple[int, ...]:
        """Seeds for the generator of a draw: the study's seed and the draw's number, so that a study draws the same
        candidates however often it is interrupted. While another driver works on the same study, this driver's id joins
        them, so that the two do not draw the same.
        """
        assert self._ownership is not None
        return (self.seed, draw, *self._ownership.salt())

    # --- writing -------------------------------------------------------------------------------------------------

    def begin(self, proposal: Proposal) -> Record:
        """Write a trial down as running, owned by this process. Raises ValueError for a value outside the choices."""
        draw = self.catalogue.next_draw(proposal.kind)
        attrs = self._attributes(proposal, draw) | {"owner": self._owner.as_dict()}
        return self._create(proposal, TrialState.RUNNING, attrs)

    def repeat(self, proposal: Proposal, of: Record) -> Record:
        """Write a trial down that takes the recorded result of an earlier one of the same network."""
        draw = self.catalogue.next_draw(proposal.kind)
        result = {"outcome": of.outcome, "reason": of.reason, "rungs": list(of.rungs), "repeat_of": of.number}
        attrs = self._attributes(proposal, draw) | {"owner": self._owner.as_dict(), "seed": of.seed} | result
        assert of.outcome is not None
        return self._create(proposal, STATES[of.outcome], attrs, self._catalogue.values(of.number))

    def repeat_running(self, number: int, of: Record) -> None:
        """End a running trial with the recorded result of an earlier one of the same network."""
        assert of.outcome is not None
        self._set(number, rungs=list(of.rungs), repeat_of=of.number, seed=of.seed)
        self.finish(number, Ending(of.outcome, of.reason), of.values)

    def claim(self, kind: str) -> Record | None:
        """Take over the oldest waiting trial of a kind, if there is one."""
        for record in self.catalogue.waiting(kind):
            trial_id = self._trial_id(record.number)
            try:
                # Written before and after: whoever dies in between, the trial has an owner.
                self._storage.set_trial_user_attr(trial_id, "owner", self._owner.as_dict())
                if not self._storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                    continue
                self._storage.set_trial_user_attr(trial_id, "owner", self._owner.as_dict())
            except UpdateFinishedTrialError:
                continue
            self._ids[record.number] = trial_id
            self._stale = True
            return self.catalogue.records[record.number]
        return None

    def report(self, number: int, rung: Rung, value: float | None = None) -> bool:
        """Take down what a rung gave; `value` is the objective there (None where there are several objectives).

        Returns whether the trial should stop: the pruner says so and the trial is not exempt. A step reported again
        (the trial was restarted) replaces the earlier one.
        """
        step = int(rung["step"])
        rungs = [known for known in self._rungs.get(number, []) if known["step"] < step] + [dict(rung)]
        self._rungs[number] = rungs
        try:
            self._set(number, rungs=rungs)
            if value is None:
                return False
            self._storage.set_trial_intermediate_value(self._ids[number], step, value)
        except UpdateFinishedTrialError:
            return True
        trial = self._storage.get_trial(self._ids[number])
        return self.study.pruner.prune(self.study, trial) and not trial.user_attrs["exempt"]

    def finish(self, number: int, ending: Ending, values: Sequence[float] | None = None) -> None:
        """Take down how a trial ended. `values` are the objectives, for outcome complete only.

        If another driver has taken the trial over meanwhile (this one's lease had run out), the result is dropped.
        """
        try:
            self._set(
                number,
                outcome=ending.outcome,
                reason=ending.reason,
                seconds=round(ending.seconds, 4),
                worker=ending.worker,
            )
            state = STATES[ending.outcome]
            self.study.tell(number, list(values) if values and state == TrialState.COMPLETE else None, state)
        except (UpdateFinishedTrialError, ValueError) as error:
            if not self._is_finished(number):
                raise
            _log.warning("trial %d was taken over by another driver, its result is dropped (%s)", number, error)
        self._forget(number)

    def interrupt(self, number: int, reason: str) -> None:
        """Mark a running trial interrupted and put it back in the queue with the same choice and seed."""
        self._ids.setdefault(number, self._trial_id(number))
        try:
            self._set(number, owner=self._owner.as_dict(), outcome=Outcome.INTERRUPTED, reason=reason)
            self.study.tell(number, state=TrialState.FAIL)
        except (UpdateFinishedTrialError, ValueError):
            if not self._is_finished(number):
                raise
        else:
            self._enqueue_again(number)
        self._forget(number)

    def recover(self) -> list[int]:
        """Put the trials of dead drivers back in the queue. Returns the numbers of the interrupted ones."""
        assert self._ownership is not None
        catalogue = self.catalogue
        leases = self._ownership.leases()
        lost = [record for record in catalogue.running() if self._ownership.is_abandoned(record, leases)]
        for record in lost:
            owner = record.owner
            self.interrupt(record.number, f"its driver is gone (process {owner['pid']} on {owner['host']})")
        # A driver that died between marking a trial and queueing it again leaves it without a successor.
        for record in catalogue.without_successor():
            if self._ownership.is_abandoned(record, leases):
                self._enqueue_again(record.number)
        return [record.number for record in lost]

    # --- details -------------------------------------------------------------------------------------------------

    @property
    def _owner(self) -> Owner:
        assert self._ownership is not None, "a ledger opened to read cannot be written"
        return self._ownership.owner

    def _attributes(self, proposal: Proposal, draw: int) -> dict[str, Any]:
        seed = trial_seed(self.seed, proposal.kind, draw) if proposal.seed is None else proposal.seed
        return {
            "kind": proposal.kind,
            "key": proposal.key,
            "macs": int(proposal.macs),
            "params": int(proposal.params),
            "activations": int(proposal.activations),
            "draw": draw,
            "seed": seed,
            "replicate": proposal.seed is not None,
            "drawn": proposal.drawn,
            "exempt": is_exempt(self.seed, proposal.kind, draw),
            "notes": dict(proposal.notes),
            "arch": proposal.arch,
        }

    def _create(
        self, proposal: Proposal, state: TrialState, attrs: dict[str, Any], values: Sequence[float] | None = None
    ) -> Record:
        """One transaction for the whole trial, however many choices and attributes it has."""
        trial = create_trial(
            state=state,
            values=values,
            params=dict(proposal.choice),
            distributions={name: self._distributions[name] for name in proposal.choice},
            user_attrs=attrs,
        )
        trial_id = self._storage.create_new_trial(self._study_id, template_trial=trial)
        number = self._storage.get_trial_number_from_id(trial_id)
        self._stale = True
        if state == TrialState.RUNNING:
            self._ids[number] = trial_id
        return self.catalogue.records[number]

    def _enqueue_again(self, number: int) -> None:
        trial = self._catalogue.trial(number)
        kept = ("kind", "key", "macs", "params", "activations", "draw", "seed", "replicate", "drawn", "exempt", "notes")
        attrs = {name: trial.user_attrs[name] for name in (*kept, "arch")} | {"retry_of": number}
        waiting = create_trial(
            state=TrialState.WAITING, params=trial.params, distributions=trial.distributions, user_attrs=attrs
        )
        self._storage.create_new_trial(self._study_id, template_trial=waiting)
        self._stale = True

    def _forget(self, number: int) -> None:
        self._ids.pop(number, None)
        self._rungs.pop(number, None)
        self._stale = True

    def _set(self, number: int, **attributes: Any) -> None:
        self._stale = True
        for name, value in attributes.items():
            self._storage.set_trial_user_attr(self._ids[number], name, value)

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)

    def _is_finished(self, number: int) -> bool:
        return self._storage.get_trial(self._trial_id(number)).state.is_finished()

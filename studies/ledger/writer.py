"""Writes trials into an Optuna storage in as few transactions as possible. It decides nothing: see ledger.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from studies.ledger.trial import Proposal
from studies.outcome import Outcome

STATES = {
    Outcome.COMPLETE: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    # The candidate's own failures: a sampler ranks pruned trials below complete ones, and ignores failed ones.
    Outcome.INFEASIBLE: TrialState.PRUNED,
    Outcome.NAN: TrialState.PRUNED,
    Outcome.OUT_OF_MEMORY: TrialState.PRUNED,
    Outcome.ERROR: TrialState.FAIL,
    Outcome.INTERRUPTED: TrialState.FAIL,
}
# What a trial keeps when it is run again under a new number.
_KEPT = (
    "phase", "key", "metrics", "proposal_index", "seed", "replicate", "proposed_by",
    "never_pruned", "notes", "arch",
)  # fmt: skip


class FinishedElsewhereError(Exception):
    """The trial was finished by another driver, which has taken it over."""


class Writer:
    """The trials of a study, to be written. `on_write` is called whenever one was.

    mine  numbers of the trials that this process has begun or claimed, and not finished
    """

    def __init__(
        self,
        study: optuna.Study,
        storage: BaseStorage,
        choices: Mapping[str, Sequence[Any]],
        on_write: Callable[[], None],
    ) -> None:
        self.mine: set[int] = set()
        self._study = study
        self._storage = storage
        self._on_write = on_write
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._ids: dict[int, int] = {}
        self._distributions: dict[str, BaseDistribution] = {
            name: CategoricalDistribution(tuple(values)) for name, values in choices.items()
        }

    def create(
        self,
        proposal: Proposal,
        state: TrialState,
        attributes: Mapping[str, Any],
        values: Sequence[float] | None = None,
    ) -> int:
        """Write a whole new trial in one transaction. Returns its number.

        Raises ValueError if a choice is not one of the space's.
        """
        unknown = sorted(set(proposal.choice) - set(self._distributions))
        if unknown:
            raise ValueError(f"a trial's choice names {', '.join(unknown)}, which the space does not have")
        trial = create_trial(
            state=state,
            values=values,
            params=dict(proposal.choice),
            distributions={name: self._distributions[name] for name in proposal.choice},
            user_attrs=attributes_of(proposal) | dict(attributes),
        )
        number = self._add(trial)
        if state == TrialState.RUNNING:
            self.mine.add(number)
        return number

    def enqueue_again(self, trial: FrozenTrial) -> int:
        """Write a waiting trial with the choice and seed of an interrupted one. Returns its number."""
        attributes = {name: trial.user_attrs[name] for name in _KEPT} | {"retry_of": trial.number}
        again = create_trial(
            state=TrialState.WAITING, params=trial.params, distributions=trial.distributions, user_attrs=attributes
        )
        return self._add(again)

    def claim(self, number: int, owner: Mapping[str, Any]) -> bool:
        """Make a waiting trial a running one of this owner. False if somebody else was faster."""
        trial_id = self._id(number)
        try:
            # Written before and after: whoever dies in between, the trial has an owner.
            self._storage.set_trial_user_attr(trial_id, "owner", dict(owner))
            if not self._storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                return False
            self._storage.set_trial_user_attr(trial_id, "owner", dict(owner))
        except UpdateFinishedTrialError:
            return False
        finally:
            self._on_write()
        self.mine.add(number)
        return True

    def set(self, number: int, **attributes: Any) -> None:
        """Set attributes of an unfinished trial. Raises FinishedElsewhereError if it is finished."""
        try:
            for name, value in attributes.items():
                self._storage.set_trial_user_attr(self._id(number), name, value)
        except UpdateFinishedTrialError:
            raise FinishedElsewhereError(number) from None
        finally:
            self._on_write()

    def report(self, number: int, step: int, value: float) -> FrozenTrial:
        """Set the objective's value at a step. Returns the trial as it is then."""
        try:
            self._storage.set_trial_intermediate_value(self._id(number), step, value)
        except UpdateFinishedTrialError:
            raise FinishedElsewhereError(number) from None
        finally:
            self._on_write()
        return self._storage.get_trial(self._id(number))

    def tell(self, number: int, state: TrialState, values: Sequence[float] | None = None) -> None:
        """Finish a trial and tell the sampler. Raises FinishedElsewhereError if it is finished already."""
        try:
            self._study.tell(number, None if values is None else list(values), state)
        except (UpdateFinishedTrialError, ValueError):
            if self._storage.get_trial(self._id(number)).state.is_finished():
                raise FinishedElsewhereError(number) from None
            raise
        finally:
            self._on_write()

    def forget(self, number: int) -> None:
        """Forget a trial of this process that is over."""
        self.mine.discard(number)
        self._ids.pop(number, None)

    def _add(self, trial: FrozenTrial) -> int:
        trial_id = self._storage.create_new_trial(self._study_id, template_trial=trial)
        number = self._storage.get_trial_number_from_id(trial_id)
        self._ids[number] = trial_id
        self._on_write()
        return number

    def _id(self, number: int) -> int:
        if number not in self._ids:
            self._ids[number] = self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
        return self._ids[number]


def attributes_of(proposal: Proposal) -> dict[str, Any]:
    """What a proposal says about itself, as attributes of its trial."""
    return {
        "phase": proposal.phase,
        "key": proposal.key,
        "metrics": {name: _plain(value) for name, value in proposal.metrics.items()},
        "replicate": proposal.seed is not None,
        "proposed_by": proposal.proposed_by,
        "notes": dict(proposal.notes),
        "arch": proposal.arch,
    }


def _plain(value: float) -> int | float:
    """The number as JSON holds it: numpy's become Python's, and whole numbers stay whole."""
    return int(value) if isinstance(value, Integral) else float(value)

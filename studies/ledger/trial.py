"""One trial of a ledger as a value: what is asked for (`Proposal`) and what is known about it (`Record`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from studies.outcome import Outcome, Rung

CANDIDATE = "candidate"
Identity = tuple[str, str, int | None]


@dataclass(frozen=True)
class Proposal:
    """A trial somebody wants.

    choice       one value for each of the space's choices
    key          canonical key of the network (`Arch.key`): equal keys are the same network
    arch         the network as JSON text (`Arch.to_json`)
    metrics      of the network at full size, {name: number} in raw units: macs, params, ...
    phase        what it is for: "candidate", "finalist", ...; trials of different phases are never compared, because
                 they are trained differently
    seed         of the training. None: the ledger derives it from the study's seed, and a network that was trained
                 before takes its recorded result. Given: a deliberate replicate; only one with this very seed is reused
    proposed_by  what proposed it, for people: "random", "tpe", ...
    notes        further plain JSON values to keep with the trial
    """

    choice: Mapping[str, Any]
    key: str
    arch: str
    metrics: Mapping[str, float]
    phase: str = CANDIDATE
    seed: int | None = None
    proposed_by: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        """Equal for proposals that need training only once."""
        return (self.phase, self.key, self.seed)


@dataclass(frozen=True)
class Record:
    """A trial as the ledger holds it. See `Proposal` for the first fields.

    number          of the trial in the study, from 0
    proposal_index  counts the proposals of its phase, from 0; a trial that is run again keeps its index and its seed
    seed            of the training
    replicate       whether the seed was given deliberately
    never_pruned    whether early stopping never stops it, so that rungs can be judged without survivors' bias
    outcome         how it ended; None while it is waiting or running
    values          the objective value(s), if it is complete
    rungs           the results at each rung, in order of step
    repeat_of       number of the trial whose result it took over
    retry_of        number of the interrupted trial that it runs again
    seconds         worker-seconds; 0 for a repeat
    worker          where it ran, "host:pid"
    owner           the driver that ran it (`Owner.as_dict`)
    """

    number: int
    phase: str
    choice: Mapping[str, Any]
    key: str
    arch: str
    metrics: Mapping[str, float]
    proposal_index: int
    seed: int
    replicate: bool
    proposed_by: str
    never_pruned: bool
    state: TrialState
    outcome: Outcome | None
    reason: str
    values: tuple[float, ...] | None
    rungs: tuple[Rung, ...]
    seconds: float
    worker: str
    repeat_of: int | None
    retry_of: int | None
    notes: Mapping[str, Any]
    owner: Mapping[str, Any]

    @property
    def identity(self) -> Identity:
        """As `Proposal.identity`."""
        return (self.phase, self.key, self.seed if self.replicate else None)

    @property
    def is_final(self) -> bool:
        """Whether it is over and counts."""
        return self.outcome is not None and self.outcome.is_final

    @property
    def accuracy(self) -> float | None:
        """Accuracy (0..1) at the last rung it reached."""
        return self.rungs[-1].get("accuracy") if self.rungs else None


def record_of(trial: FrozenTrial) -> Record:
    """Read a Record from an Optuna trial. Trials that other tools put into the study have phase "foreign"."""
    attrs = trial.user_attrs
    finished = trial.state.is_finished()
    return Record(
        number=trial.number,
        phase=attrs.get("phase", "foreign"),
        choice=dict(trial.params),
        key=attrs.get("key", ""),
        arch=attrs.get("arch", ""),
        metrics=attrs.get("metrics", {}),
        proposal_index=attrs.get("proposal_index", -1),
        seed=attrs.get("seed", 0),
        replicate=attrs.get("replicate", False),
        proposed_by=attrs.get("proposed_by", ""),
        never_pruned=attrs.get("never_pruned", False),
        state=trial.state,
        outcome=_outcome(trial) if finished else None,
        reason=attrs.get("reason", "") if finished else "",
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE else None,
        rungs=tuple(attrs.get("rungs", ())),
        seconds=attrs.get("seconds", 0.0),
        worker=attrs.get("worker", ""),
        repeat_of=attrs.get("repeat_of"),
        retry_of=attrs.get("retry_of"),
        notes=attrs.get("notes", {}),
        owner=attrs.get("owner", {}),
    )


def _outcome(trial: FrozenTrial) -> Outcome:
    outcome = trial.user_attrs.get("outcome")
    if outcome is not None:
        return Outcome(outcome)
    # Finished by another tool, which knows Optuna's states only.
    states = {TrialState.COMPLETE: Outcome.COMPLETE, TrialState.PRUNED: Outcome.PRUNED}
    return states.get(trial.state, Outcome.ERROR)

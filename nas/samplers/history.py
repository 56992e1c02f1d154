"""A study as samplers read it: encodings, values to maximise, rungs and running trials."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.parameters import to_choice
from search_spaces.spaces.space import Ints, Space

# The reward's known part: a factor [n] for encodings [n, k], so that reward = accuracy * factor.
Factor = Callable[[Ints], NDArray[np.float64]]


def checked(factor: Factor) -> Factor:
    """The factor, made to raise ValueError for a value that is not finite and above 0."""

    def positive(encodings: Ints) -> NDArray[np.float64]:
        factors = factor(encodings)
        wrong = factors[~(np.isfinite(factors) & (factors > 0))]
        if len(wrong):
            raise ValueError(
                f"factor must be finite and above 0 for every network, got {wrong[0]:g}: values are divided by it; "
                "leave factor out to predict the value as a whole"
            )
        return factors

    return positive


@dataclass(frozen=True)
class Entry:
    """One trial whose parameters are the space's.

    key     the encoding's bytes, the same for the same network
    value   to be maximised; None where the trial has none (running, failed, stopped early, not finite)
    rungs   {step: value} of the values reported before the end; empty if the final value is not finite
    repeat  whether the value is that of an earlier trial, so that it is no new measurement
    ended   the key that finished trials are ordered by, see `Reader`; infinite for the others
    """

    number: int
    encoding: Ints
    key: bytes
    state: TrialState
    value: float | None
    rungs: Mapping[int, float]
    repeat: bool
    ended: float

    @property
    def is_judged(self) -> bool:
        """Complete, stopped early or infeasible; neither failed nor running."""
        return self.state in (TrialState.COMPLETE, TrialState.PRUNED)


def judged(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that were judged, without repeats, in the order in which they ended."""
    return sorted((e for e in entries if e.is_judged and not e.repeat), key=lambda e: (e.ended, e.number))


def seen(entries: Iterable[Entry]) -> set[bytes]:
    """The networks of all trials, as the bytes of their canonical encodings."""
    return {entry.key for entry in entries}


class Reader:
    """Reads studies of one space. Entries of finished trials are cached, some hundred bytes each.

    Trials are ordered by when they ended; with `by_proposal`, by when they were proposed.
    """

    def __init__(self, space: Space, *, by_proposal: bool = False) -> None:
        self._space = space
        self._by_proposal = by_proposal
        self._study = ""
        self._finished: dict[int, Entry | None] = {}

    def entries(self, study: Study) -> list[Entry]:
        """The trials in order of number, without those that hold other parameters than the space's choices.

        Encodings are canonical. Values of a minimised study are negated. Of several objectives the first counts.
        """
        if study.study_name != self._study:
            self._study, self._finished = study.study_name, {}
        sign = -1.0 if study.directions[0] == StudyDirection.MINIMIZE else 1.0
        found = (self._entry(trial, sign) for trial in study.get_trials(deepcopy=False))
        return [entry for entry in found if entry is not None]

    def trials(self, study: Study, *states: TrialState) -> list[FrozenTrial]:
        """The trials of `entries` that have one of the states, as Optuna has them, in order of number.

        A trial whose value is not finite is given as pruned, with neither value nor rungs.
        """
        own = {entry.number for entry in self.entries(study)}
        known = (_finite(trial) for trial in study.get_trials(deepcopy=False) if trial.number in own)
        return [trial for trial in known if trial.state in states]

    def _entry(self, trial: FrozenTrial, sign: float) -> Entry | None:
        """The trial's entry; None for a waiting trial, or one of another tool."""
        try:
            return self._finished[trial.number]
        except KeyError:
            entry = self._read(trial, sign) if trial.params and trial.state is not TrialState.WAITING else None
        if trial.state.is_finished():
            self._finished[trial.number] = entry
        return entry

    def ended(self, trial: FrozenTrial) -> float:
        """The key that finished trials are ordered by: seconds since 1970, or the proposal index; infinite before."""
        if trial.datetime_complete is None:
            return np.inf
        return (
            float(trial.user_attrs.get("proposal_index", trial.number))
            if self._by_proposal
            else trial.datetime_complete.timestamp()
        )

    def _read(self, trial: FrozenTrial, sign: float) -> Entry | None:
        try:
            encoding = self._space.canonical(self._space.encode(to_choice(self._space, trial.params)))
        except (KeyError, ValueError, IndexError, TypeError):
            return None  # another tool's trial
        trial = _finite(trial)
        attrs: dict[str, Any] = trial.user_attrs
        return Entry(
            number=trial.number,
            encoding=encoding,
            key=encoding.tobytes(),
            state=trial.state,
            value=sign * trial.values[0] if trial.state is TrialState.COMPLETE else None,
            rungs={step: sign * value for step, value in trial.intermediate_values.items() if np.isfinite(value)},
            repeat=bool(attrs.get("repeat")) or attrs.get("repeat_of") is not None,
            ended=self.ended(trial),
        )


def _finite(trial: FrozenTrial) -> FrozenTrial:
    """The trial; if it is complete with a value that is not finite, a pruned copy without value and rungs."""
    if trial.state is not TrialState.COMPLETE or all(map(math.isfinite, trial.values)):
        return trial
    nothing = copy.copy(trial)
    nothing.state, nothing.values, nothing.intermediate_values = TrialState.PRUNED, None, {}
    return nothing

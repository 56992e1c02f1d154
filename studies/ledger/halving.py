"""Early stopping by successive halving, decided from the ledger alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import optuna
from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from studies.ledger.trial import CANDIDATE
from studies.outcome import Outcome


class Halving(BasePruner):
    """Asynchronous successive halving (ASHA, arXiv 1810.05934) without a memory of its own.

    At each rung a trial continues if its value is among the best 1/factor of all values at that rung so far. Everything
    is read from the study's intermediate values, so it survives the driver and serves several drivers at once. Unlike
    Optuna's SuccessiveHalvingPruner it compares trials of one phase only, and counts no trial twice that was run again.
    """

    def __init__(
        self, rungs: Sequence[int], *, factor: int = 2, grace: int = 4, phase: str = CANDIDATE, generation: int = 1
    ) -> None:
        """
        Args:
            rungs: steps at which trials are compared, the last step of a training not among them
            factor: one in `factor` of the trials at a rung continues
            grace: at each rung nothing is stopped before that many trials have reached it
            phase: trials that are compared; others are never stopped
            generation: with more than 1, where trials are drawn in generations of so many, a trial is compared with
                those of earlier generations only, so that nothing depends on which worker was faster

        """
        if factor < 2:
            raise ValueError(f"a halving factor must be at least 2, got {factor}")
        self.rungs = tuple(rungs)
        self.factor = factor
        self.grace = grace
        self.phase = phase
        self.generation = generation

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether to stop the trial after the last step it reported."""
        step = trial.last_step
        if step not in self.rungs or not self._competes(trial):
            return False
        value = trial.intermediate_values[step]
        others = self._values(study, step, trial)
        if math.isnan(value) or len(others) + 1 < self.grace:
            return False
        sign = 1 if study.direction == StudyDirection.MAXIMIZE else -1
        ranked = sorted((sign * v for v in (*others, value)), reverse=True)
        return sign * value < ranked[max(1, len(ranked) // self.factor) - 1]

    def _values(self, study: optuna.Study, step: int, trial: FrozenTrial) -> list[float]:
        others = (t for t in study.get_trials(deepcopy=False) if self._competes(t) and self._precedes(t, trial))
        found = (other.intermediate_values.get(step) for other in others)
        return [value for value in found if value is not None and not math.isnan(value)]

    def _precedes(self, other: FrozenTrial, trial: FrozenTrial) -> bool:
        if self.generation == 1:
            return other.number != trial.number
        first, second = (t.user_attrs["proposal_index"] // self.generation for t in (other, trial))
        return bool(first < second)

    def _competes(self, trial: FrozenTrial) -> bool:
        attrs = trial.user_attrs
        return attrs.get("phase") == self.phase and attrs.get("outcome") != Outcome.INTERRUPTED

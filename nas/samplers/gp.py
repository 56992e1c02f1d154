"""Optuna's Gaussian process, kept inside the cost band and away from networks that were trained before."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from optuna import Study
from optuna.samplers import GPSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import seen
from nas.samplers.parameters import to_choice
from nas.samplers.registry import SAMPLERS

FITTED = 60  # trials: a suggestion's cost grows with their cube


class GpSampler(SpaceSampler):
    """Optuna's `GPSampler` (Matern kernel over the choices, log expected improvement) after 10 uniform draws.

    It is fitted to the 30 best and the 30 latest trials. What it proposes outside the band walks into it by single
    changes. Trials without values are not looked at.
    """

    name = "gp"

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        movable = {name: values for name, values in self._distributions.items() if not values.single()}
        trials = self._reader.trials(study, TrialState.COMPLETE, TrialState.RUNNING)
        complete = [known for known in trials if known.state is TrialState.COMPLETE]
        if len(complete) < SAMPLERS[self.name].startup or not movable:
            return self.uniform(rng), UNIFORM
        running = [known for known in trials if known.state is TrialState.RUNNING]
        drawn = self.params(self._space.sample(rng, 1)[0])
        # Not `sample_relative`, which writes into the trial: a ledger's trial is made after its draw.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sampler = GPSampler(seed=int(rng.integers(2**32)), n_startup_trials=0)
            params = {**drawn, **sampler._sample_relative_impl(study, _fitted(study, complete), running, movable)}
        encoding = self._space.canonical(self._space.encode(to_choice(self._space, params)))
        found = self.new_near(rng, encoding, seen(self._reader.entries(study)))
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)


def _fitted(study: Study, complete: list[FrozenTrial]) -> list[FrozenTrial]:
    """The best by the first objective and the latest, `FITTED` in all, in order of number."""
    if len(complete) <= FITTED:
        return complete
    latest = complete[-FITTED // 2 :]
    sign = -1.0 if study.directions[0] == StudyDirection.MINIMIZE else 1.0
    best = sorted(complete[: -FITTED // 2], key=lambda trial: -sign * trial.values[0])[: FITTED // 2]
    return sorted(best, key=lambda trial: trial.number) + latest

"""Optuna's Gaussian process, inside the cost band, for networks that were not trained before."""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna import Study
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import seen
from nas.samplers.optuna_internals import gp_proposal
from nas.samplers.parameters import to_choice
from nas.samplers.registry import SAMPLERS

MAX_FITTED = 60  # trials; the cost of a proposal grows with their cube


class GpSampler(SpaceSampler):
    """Optuna's `GPSampler` (Matern kernel over the choices, log expected improvement) after 10 uniform draws.

    It is fitted to the 30 latest trials and the 30 best of the others. A proposal outside the band is moved into it by
    single changes. Trials without values are ignored.
    """

    name = "gp"
    startup = SAMPLERS["gp"].startup
    multi_objective = True

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        movable = {name: values for name, values in self._distributions.items() if not values.single()}
        trials = self._reader.trials(study, TrialState.COMPLETE, TrialState.RUNNING)
        complete = [known for known in trials if known.state is TrialState.COMPLETE]
        if len(complete) < self.startup or not movable:
            return self.uniform(rng), UNIFORM
        running = [known for known in trials if known.state is TrialState.RUNNING]
        drawn = self.params(self._space.sample(rng, 1)[0])
        seed = int(rng.integers(2**32))
        params = {**drawn, **gp_proposal(study, latest_and_best(study, complete), running, movable, seed)}
        encoding = self._space.canonical(self._space.encode(to_choice(self._space, params)))
        found = self.new_near(rng, encoding, seen(self._reader.entries(study)))
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)


def latest_and_best(study: Study, complete: list[FrozenTrial]) -> list[FrozenTrial]:
    """The latest trials and the best of the others by the first objective, `MAX_FITTED` in all, in order of number."""
    if len(complete) <= MAX_FITTED:
        return complete
    latest = complete[-MAX_FITTED // 2 :]
    sign = -1.0 if study.directions[0] == StudyDirection.MINIMIZE else 1.0
    best = sorted(complete[: -MAX_FITTED // 2], key=lambda trial: -sign * trial.values[0])[: MAX_FITTED // 2]
    return sorted(best, key=lambda trial: trial.number) + latest

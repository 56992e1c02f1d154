"""Optuna's tree-structured Parzen estimator, kept inside the cost band."""

from __future__ import annotations

import warnings
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import optuna
from optuna import Study
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.parameters import to_choice
from nas.samplers.registry import SAMPLERS
from search_spaces.spaces.mutation import inside, into_band

# A band a quarter of the target wide holds some tenth of what TPE draws; a narrower one may be missed so many times.
ATTEMPTS = 50


class TpeSampler(SpaceSampler):
    """Multivariate TPE (Bergstra et al. 2011), after 10 uniform draws.

    What it proposes outside the band is drawn again: cost is known before training. After `ATTEMPTS` misses the last
    one walks into the band by single changes. Early-stopped trials count by their last rung, those that came to nothing
    as the worst, running ones as bad (the "constant liar").
    """

    name = "tpe"

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        known = self._reader.trials(study, TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        if sum(other.state.is_finished() for other in known) < SAMPLERS[self.name].startup:
            return self.uniform(rng), UNIFORM
        # A new sampler for each proposal: its generator must depend on (seed, number) alone, not on this process' past.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            tpe = TPESampler(multivariate=True, n_startup_trials=0, seed=int(rng.integers(2**32)))
        view: Any = _View(study, known)
        for _ in range(ATTEMPTS):
            # Not `sample_relative`, which writes into the trial: a ledger's trial is made after its draw.
            params = tpe._sample_relative(view, trial, self._distributions)
            encoding = self._space.encode(to_choice(self._space, params))
            if inside(self._space, encoding[None], self._band)[0]:
                return params, self.name
        found = into_band(self._space, rng, encoding, self._band)
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)


class _View:
    """A study as TPE reads it, with these trials only: another tool's may hold other choices under the same names."""

    def __init__(self, study: Study, trials: Sequence[FrozenTrial]) -> None:
        self._study = study
        self._trials = trials

    def _get_trials(self, deepcopy: bool, states: Container[TrialState], use_cache: bool) -> list[FrozenTrial]:
        return [trial for trial in self._trials if trial.state in states]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

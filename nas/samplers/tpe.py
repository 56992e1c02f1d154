"""Optuna's tree-structured Parzen estimator, kept inside the cost band."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import optuna
from optuna import Study
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from nas.parameters import to_choice
from nas.samplers import STARTUP
from nas.samplers.base import UNIFORM, SpaceSampler

# A band a quarter of the target wide holds some tenth of what TPE draws; after this many misses a uniform draw serves.
ATTEMPTS = 50


class TpeSampler(SpaceSampler):
    """Multivariate TPE (Bergstra et al. 2011), after 10 uniform draws.

    What it proposes outside the band is drawn again: cost is known before training. Early-stopped trials count by
    their last rung, failed ones as the worst, running ones as bad (the "constant liar").
    """

    name = "tpe"

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        if len(study.get_trials(deepcopy=False, states=states)) < STARTUP[self.name]:
            return self.uniform(rng), UNIFORM
        # A new sampler for each proposal: its generator must depend on (seed, number) alone, not on this process' past.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            tpe = TPESampler(multivariate=True, n_startup_trials=0, seed=int(rng.integers(2**32)))
        for _ in range(ATTEMPTS):
            # Not `sample_relative`, which writes into the trial: a ledger's trial is made after its draw.
            params = tpe._sample_relative(study, trial, self._distributions)
            if self._inside(params):
                return params, self.name
        return self.uniform(rng), UNIFORM

    def _inside(self, params: dict[str, Any]) -> bool:
        if self._band is None:
            return True
        encoding = self._space.encode(to_choice(self._space, params))
        macs = int(self._space.costs(encoding[None]).macs[0])
        return self._band[0] <= macs <= self._band[1]

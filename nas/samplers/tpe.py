"""Optuna's tree-structured Parzen estimator, kept inside the cost band."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.optuna_internals import tpe_proposals
from nas.samplers.parameters import to_choice
from nas.samplers.registry import SAMPLERS
from search_spaces.spaces.mutation import inside, into_band

# About a tenth of TPE's proposals lie in a band that is a quarter of the target wide; fewer in a narrower band.
MAX_PROPOSALS = 50


class TpeSampler(SpaceSampler):
    """Multivariate TPE (Bergstra et al. 2011), after 10 uniform draws.

    A proposal outside the band is drawn again, because the cost is known before training. After
    `MAX_PROPOSALS` misses the last proposal is moved into the band by single changes. Trials stopped early count by
    their last rung, trials without a value as the worst, and running trials as bad (the "constant liar").
    """

    name = "tpe"
    startup = SAMPLERS["tpe"].startup
    multi_objective = True

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        known = self._reader.trials(study, TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        if sum(other.state.is_finished() for other in known) < self.startup:
            return self.uniform(rng), UNIFORM
        # A new seed for each proposal: it must depend on (seed, number) alone, not on this process' past.
        proposals = tpe_proposals(study, known, trial, self._distributions, seed=int(rng.integers(2**32)))
        for params in islice(proposals, MAX_PROPOSALS):
            encoding = self._space.encode(to_choice(self._space, params))
            if inside(self._space, encoding[None], self._within)[0]:
                return params, self.name
        found = into_band(self._space, rng, encoding, self._within)
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)

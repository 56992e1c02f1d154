"""Random search: every network of the cost band is as likely as any other."""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna import Study
from optuna.trial import FrozenTrial

from nas.samplers.base import UNIFORM, SpaceSampler


class UniformSampler(SpaceSampler):
    """Uniform over the different networks inside the band: the baseline for every other sampler."""

    name = "random"
    multi_objective = True

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        return self.uniform(rng), UNIFORM

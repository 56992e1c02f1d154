"""Optuna's NSGA-II, kept inside the cost band: for one objective or several."""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna import Study
from optuna.samplers._lazy_random_state import LazyRandomState
from optuna.samplers.nsgaii import UniformCrossover
from optuna.samplers.nsgaii._child_generation_strategy import NSGAIIChildGenerationStrategy
from optuna.samplers.nsgaii._elite_population_selection_strategy import NSGAIIElitePopulationSelectionStrategy
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import seen
from nas.samplers.parameters import to_choice
from nas.samplers.registry import SAMPLERS

POPULATION = SAMPLERS["nsga2"].startup
CROSSOVER, SWAPPING = 0.9, 0.5  # Optuna's own settings


class Nsga2Sampler(SpaceSampler):
    """NSGA-II (Deb et al. 2002) with Optuna's selection, crossover and mutation, after `POPULATION` uniform draws.

    Optuna writes generations into the trials. Here they follow from the order in which trials ended, `POPULATION` each,
    so that they are the same for anybody who reads the study. Trials without values are no parents.
    """

    name = "nsga2"

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        parents = self._parents(study)
        if not parents:
            return self.uniform(rng), UNIFORM
        random = LazyRandomState(int(rng.integers(2**32)))
        breed = NSGAIIChildGenerationStrategy(
            crossover=UniformCrossover(), crossover_prob=CROSSOVER, swapping_prob=SWAPPING, rng=random
        )
        child = breed(study, self._distributions, parents)
        # What mutation dropped Optuna draws anew, uniformly.
        drawn = self.params(self._space.sample(rng, 1)[0])
        encoding = self._space.encode(to_choice(self._space, {**drawn, **child}))
        found = self.new_near(rng, self._space.canonical(encoding), seen(self._reader.entries(study)))
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)

    def _parents(self, study: Study) -> list[FrozenTrial]:
        """The best `POPULATION` after each full generation, of these and the generation before."""
        complete = self._reader.trials(study, TrialState.COMPLETE)
        complete.sort(key=lambda trial: (self._reader.ended(trial), trial.number))
        select = NSGAIIElitePopulationSelectionStrategy(population_size=POPULATION)
        parents: list[FrozenTrial] = []
        for end in range(POPULATION, len(complete) + 1, POPULATION):
            parents = select(study, [*parents, *complete[end - POPULATION : end]])
        return parents

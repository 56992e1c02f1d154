"""Optuna's NSGA-II inside the cost band, for one objective or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.samplers import NSGAIISampler
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import seen
from nas.samplers.parameters import to_choice
from nas.samplers.registry import SAMPLERS

POPULATION = SAMPLERS["nsga2"].startup


class Nsga2Sampler(SpaceSampler):
    """NSGA-II (Deb et al. 2002) with Optuna's selection, crossover and mutation, after `POPULATION` uniform draws.

    Generations follow from the order in which trials ended, `POPULATION` trials each, so they are the same for every
    process that reads the study. Trials without values are no parents.
    """

    name = "nsga2"
    startup = POPULATION
    multi_objective = True

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        parents = self._parents(study)
        if not parents:
            return self.uniform(rng), UNIFORM
        seed = int(rng.integers(2**32))
        child = GivenGenerations(seed, parents=parents).sample_relative(study, trial, self._distributions)
        # Optuna leaves out the parameters that mutate: they are drawn uniformly.
        drawn = self.params(self._space.sample(rng, 1)[0])
        encoding = self._space.encode(to_choice(self._space, {**drawn, **child}))
        found = self.new_near(rng, self._space.canonical(encoding), seen(self._reader.entries(study)))
        return (self.uniform(rng), UNIFORM) if found is None else (self.params(found), self.name)

    def _parents(self, study: Study) -> list[FrozenTrial]:
        """The best `POPULATION` after each full generation, of these and the generation before."""
        complete = self._reader.trials(study, TrialState.COMPLETE)
        complete.sort(key=lambda trial: (self._reader.ended(trial), trial.number))
        parents: list[FrozenTrial] = []
        for end in range(POPULATION, len(complete) + 1, POPULATION):
            population = [*parents, *complete[end - POPULATION : end]]
            parents = GivenGenerations(0, population).select_parent(study, 1)
        return parents


class GivenGenerations(NSGAIISampler):
    """Optuna's selection, crossover and mutation on generations that are handed over.

    Optuna would read them from, and write them into, the trials of the study. `population` is what parents are selected
    from, `parents` what children are bred from.
    """

    def __init__(self, seed: int, population: Sequence[FrozenTrial] = (), parents: Sequence[FrozenTrial] = ()) -> None:
        super().__init__(population_size=POPULATION, seed=seed)
        self._population, self._parents = list(population), list(parents)

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        return 1

    def get_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        return self._population

    def get_parent_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        return self._parents

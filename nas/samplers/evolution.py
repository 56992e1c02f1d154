"""Regularised (aging) evolution: Real et al. 2019 (arXiv 1802.01548), algorithm 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna import Study
from optuna.trial import FrozenTrial

from nas.samplers.base import UNIFORM, SpaceSampler
from nas.samplers.history import Entry, judged, seen
from nas.samplers.registry import SAMPLERS
from search_spaces.spaces.mutation import inside
from search_spaces.spaces.space import Ints

POPULATION, SAMPLE = SAMPLERS["evolution"].startup, 5
MAX_MUTATIONS = 30  # of one choice that may leave the band or were trained before; then more choices change


class EvolutionSampler(SpaceSampler):
    """After `POPULATION` uniform draws: the best of `SAMPLE` among the last `POPULATION`, with one choice changed.

    Every network leaves the population by age, so one lucky measurement does not last. A mutant that was trained before
    is replaced by another mutant of its parent.
    """

    name = "evolution"
    startup = POPULATION

    def propose(self, study: Study, trial: FrozenTrial, rng: np.random.Generator) -> tuple[dict[str, Any], str]:
        entries = self._reader.entries(study)
        population = judged(entries)[-POPULATION:]
        if len(population) < POPULATION:
            return self.uniform(rng), UNIFORM
        sample = rng.choice(POPULATION, size=SAMPLE, replace=False)
        parent = max((population[index] for index in sample), key=_fitness)
        child = self._mutant(rng, parent.encoding, seen(entries))
        return (self.uniform(rng), UNIFORM) if child is None else (self.params(child), self.name)

    def _mutant(self, rng: np.random.Generator, parent: Ints, known: set[bytes]) -> Ints | None:
        for _ in range(MAX_MUTATIONS):
            child = self._space.canonical(self._space.mutate(rng, parent))
            if child.tobytes() not in known and inside(self._space, child[None], self._within)[0]:
                return child
        return self.new_near(rng, parent, known)


def _fitness(entry: Entry) -> float:
    """The value; the last rung's of a trial stopped early; the worst for a trial without a value."""
    if entry.value is not None:
        return entry.value
    return entry.rungs[max(entry.rungs)] if entry.rungs else -np.inf

"""Optuna samplers as optimizers that are asked and told: the samplers of this project, and any other sampler."""

from __future__ import annotations

from typing import Any

import optuna

from nas.benchmark.objective import TableObjective
from nas.in_process import quiet_study
from nas.samplers import registry as samplers
from nas.samplers.base import SpaceSampler
from nas.samplers.parameters import distributions, to_choice
from search_spaces.spaces.space import Ints, Space


class SamplerOptimizer:
    """An Optuna sampler with a study in memory.

    Only a sampler that ranks networks otherwise than by their mean value recommends one.
    """

    def __init__(self, sampler: optuna.samplers.BaseSampler, space: Space) -> None:
        self._space = space
        self._sampler = sampler
        self._distributions: dict[str, Any] = dict(distributions(space))
        self._study = quiet_study(sampler)
        self._trial: optuna.Trial | None = None

    def ask(self) -> Ints:
        self._trial = self._study.ask(self._distributions)
        return self._encoding(self._trial.params)

    def tell(self, value: float, *, repeat: bool = False) -> None:
        assert self._trial is not None
        self._trial.set_user_attr("repeat", repeat)
        self._study.tell(self._trial, value)

    def recommend(self) -> Ints | None:
        sampler = self._sampler
        if not isinstance(sampler, SpaceSampler) or type(sampler).ranking is SpaceSampler.ranking:
            return None
        return self._encoding(sampler.recommend(self._study))

    def _encoding(self, params: dict[str, Any]) -> Ints:
        return self._space.encode(to_choice(self._space, params))


def make_optimizer(sampler: str, objective: TableObjective, trials: int, seed: int) -> SamplerOptimizer:
    """One of this project's samplers. Raises ValueError for an unknown name, or too few trials for its start."""
    space = objective.table.space
    samplers.check(sampler, trials=trials)
    made = samplers.make(
        sampler, space, within=objective.band and {"macs": objective.band}, seed=seed, factor=objective.factor
    )
    return SamplerOptimizer(made, space)

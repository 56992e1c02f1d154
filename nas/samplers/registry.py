"""Samplers by name. docs/samplers.md says which to use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search_spaces.common.lazy import resolve
from search_spaces.common.suggest import nearest

if TYPE_CHECKING:
    from nas.samplers.base import SpaceSampler
    from nas.samplers.history import Factor
    from search_spaces.counting.band import Band
    from search_spaces.spaces.space import Space


# For one objective the best of docs/benchmark.md, and for more than one.
DEFAULT, DEFAULT_PARETO = "predictor", "nsga2"


@dataclass(frozen=True)
class SamplerInfo:
    """A sampler's row: what is known before its module, which is heavy, is imported.

    code             its class as "module:class"
    startup          trials that it proposes uniformly before it learns from results
    multi_objective  whether it supports more than one objective
    """

    code: str
    startup: int
    multi_objective: bool


SAMPLERS = {
    "random": SamplerInfo("nas.samplers.random_search:UniformSampler", startup=0, multi_objective=True),
    "tpe": SamplerInfo("nas.samplers.tpe:TpeSampler", startup=10, multi_objective=True),
    "nsga2": SamplerInfo("nas.samplers.nsga2:Nsga2Sampler", startup=20, multi_objective=True),
    "gp": SamplerInfo("nas.samplers.gp:GpSampler", startup=10, multi_objective=True),
    "evolution": SamplerInfo("nas.samplers.evolution:EvolutionSampler", startup=20, multi_objective=False),
    "ppo": SamplerInfo("nas.samplers.ppo:PpoSampler", startup=10, multi_objective=False),
    "predictor": SamplerInfo("nas.samplers.predictor.sampler:PredictorSampler", startup=8, multi_objective=False),
}


def default(objectives: int = 1) -> str:
    """The default sampler for a number of objectives."""
    return DEFAULT if objectives == 1 else DEFAULT_PARETO


def check(name: str, objectives: int = 1, trials: int | None = None) -> None:
    """Raise ValueError for an unknown sampler, with the nearest name, or one that does not support the settings.

    A sampler may support one objective only, and needs at least its `startup` trials.
    """
    if name not in SAMPLERS:
        raise ValueError(f"unknown sampler '{name}'{nearest(name, SAMPLERS)}")
    info = SAMPLERS[name]
    if objectives > 1 and not info.multi_objective:
        raise ValueError(
            f"sampler {name} maximises one number, got {objectives} objectives: choose nsga2, gp, tpe or random"
        )
    if trials is not None and trials < info.startup:
        raise ValueError(
            f"sampler {name} starts with {info.startup} trials, got {trials}: use more trials, or the sampler random"
        )


def make(
    name: str,
    space: Space,
    *,
    band: Band | None = None,
    seed: int = 0,
    factor: Factor | None = None,
    retrain: bool | None = None,
    by_proposal: bool = False,
) -> SpaceSampler:
    """The sampler called `name` on a space: an Optuna sampler, usable in any study over the space's choices.

    `factor`, `retrain` and `by_proposal` are described in `SpaceSampler`. Raises ValueError for an unknown name.
    """
    check(name)
    sampler: SpaceSampler = resolve(SAMPLERS[name].code)(
        space, band=band, seed=seed, factor=factor, retrain=retrain, by_proposal=by_proposal
    )
    return sampler

"""Samplers by name. docs/samplers.md says which to use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from search_spaces.common.suggest import nearest

if TYPE_CHECKING:
    from nas.samplers.base import SpaceSampler
    from nas.samplers.history import Factor
    from search_spaces.counting.band import Band
    from search_spaces.spaces.space import Space


# For one objective the best that was measured (docs/benchmark.md), and for several.
DEFAULT, DEFAULT_PARETO = "predictor", "nsga2"


@dataclass(frozen=True)
class SamplerInfo:
    """What is known of a sampler before its module, which is heavy, is imported.

    code     where its class is, as "module:class"
    startup  trials that it begins with before it knows anything
    several  whether it can maximise several objectives
    """

    code: str
    startup: int
    several: bool


SAMPLERS = {
    "random": SamplerInfo("nas.samplers.random_search:UniformSampler", startup=0, several=True),
    "tpe": SamplerInfo("nas.samplers.tpe:TpeSampler", startup=10, several=True),
    "nsga2": SamplerInfo("nas.samplers.nsga2:Nsga2Sampler", startup=20, several=True),
    "gp": SamplerInfo("nas.samplers.gp:GpSampler", startup=10, several=True),
    "evolution": SamplerInfo("nas.samplers.evolution:EvolutionSampler", startup=20, several=False),
    "ppo": SamplerInfo("nas.samplers.ppo:PpoSampler", startup=10, several=False),
    "predictor": SamplerInfo("nas.samplers.predictor.sampler:PredictorSampler", startup=8, several=False),
}


def default(objectives: int = 1) -> str:
    """The sampler that is used where none is named."""
    return DEFAULT if objectives == 1 else DEFAULT_PARETO


def check(name: str, objectives: int = 1, trials: int | None = None) -> None:
    """Raise ValueError for an unknown sampler, with the near name, or one that cannot be used like this.

    A sampler may take one objective only, and needs at least the trials that it begins with.
    """
    if name not in SAMPLERS:
        raise ValueError(f"unknown sampler '{name}'{nearest(name, SAMPLERS)}")
    info = SAMPLERS[name]
    if objectives > 1 and not info.several:
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
    by_draw: bool = False,
) -> SpaceSampler:
    """The sampler called `name` on a space: an Optuna sampler, usable in any study over the space's choices.

    `factor` is the reward's known part: without it samplers predict the reward as a whole. `retrain` says whether a
    network proposed again is trained again; None finds it out. `by_draw` orders trials as they were drawn, not as they
    ended. See `SpaceSampler`.
    Raises ValueError for an unknown name.
    """
    check(name)
    module, _, class_name = SAMPLERS[name].code.partition(":")
    sampler = getattr(import_module(module), class_name)
    return cast("SpaceSampler", sampler(space, band=band, seed=seed, factor=factor, retrain=retrain, by_draw=by_draw))

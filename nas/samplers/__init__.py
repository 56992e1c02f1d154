"""Strategies: Optuna samplers that propose networks. `make` finds them by name; which to use: docs/strategies.md."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from search_spaces.naming import nearest

if TYPE_CHECKING:
    from nas.samplers.base import SpaceSampler
    from nas.samplers.history import Factor
    from search_spaces.counting import Band
    from search_spaces.spaces import Space

# Module and class of each strategy; modules are imported when they are asked for, as they are heavy.
_CLASSES = {
    "random": ("uniform", "UniformSampler"),
    "tpe": ("tpe", "TpeSampler"),
    "nsga2": ("nsga2", "Nsga2Sampler"),
    "gp": ("gp", "GpSampler"),
    "evolution": ("evolution", "EvolutionSampler"),
    "ppo": ("ppo", "PpoSampler"),
    "predictor": ("predictor", "PredictorSampler"),
}
# Trials that a strategy begins with before it knows anything.
STARTUP = {"random": 0, "tpe": 10, "nsga2": 20, "gp": 10, "evolution": 20, "ppo": 10, "predictor": 8}
# For one objective the best that was measured (docs/benchmark.md), and for several.
DEFAULT, DEFAULT_PARETO = "predictor", "nsga2"
STRATEGIES = tuple(_CLASSES)
# Strategies that can't take several objectives.
SINGLE = frozenset({"evolution", "ppo", "predictor"})


def default(objectives: int = 1) -> str:
    """The strategy that is taken where none is named."""
    return DEFAULT if objectives == 1 else DEFAULT_PARETO


def check(name: str, objectives: int = 1, trials: int | None = None) -> None:
    """Raise ValueError, with the near name, where there is no such strategy, or it can't be used like this.

    Not with so many objectives, say, or not with fewer trials than it begins with before it knows anything.
    """
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy '{name}'{nearest(name, STRATEGIES)}")
    if objectives > 1 and name in SINGLE:
        raise ValueError(
            f"strategy {name} maximises one number, got {objectives} objectives: choose nsga2, gp, tpe or random"
        )
    if trials is not None and trials < STARTUP[name]:
        raise ValueError(
            f"strategy {name} starts with {STARTUP[name]} trials, got {trials}: give it more, or take random"
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
    """The strategy called `name` on a space: an Optuna sampler, usable in any study over the space's choices.

    `factor` is the reward's known part: without it strategies predict the reward as a whole. `retrain` says whether a
    network proposed again is trained again; None finds it out. `by_draw` orders trials as they were drawn, not as they
    ended. See `SpaceSampler`.
    Raises ValueError for an unknown name.
    """
    check(name)
    module, kind = _CLASSES[name]
    sampler = getattr(import_module(f"nas.samplers.{module}"), kind)
    return cast("SpaceSampler", sampler(space, band=band, seed=seed, factor=factor, retrain=retrain, by_draw=by_draw))

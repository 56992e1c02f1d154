"""Samplers by name. docs/samplers.md says which to use."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.common.palette import BLUE, BROWN, GREEN, PINK, PURPLE, RED, SKY, PlottedRow
from search_spaces.common.registry import Registry

if TYPE_CHECKING:
    from nas.samplers.base import SpaceSampler
    from nas.samplers.history import Factor
    from search_spaces.counting.band import Within
    from search_spaces.spaces.space import Space


# For one objective the best of docs/benchmark.md, and for more than one.
DEFAULT, DEFAULT_PARETO = "predictor", "nsga2"


@dataclass(frozen=True, kw_only=True)
class SamplerInfo(PlottedRow):
    """A sampler's row: what is known before its class, which is heavy, is imported.

    use              what it is good for
    startup          trials that it proposes uniformly before it learns from results
    multi_objective  whether it supports more than one objective
    """

    use: str = ""
    startup: int = 0
    multi_objective: bool = False


def adopt(name: str, found: Any) -> SamplerInfo:
    """The row of a user's sampler, from its class."""
    from nas.samplers.base import SpaceSampler

    if not inspect.isclass(found) or not issubclass(found, SpaceSampler) or inspect.isabstract(found):
        raise ValueError("must be a subclass of SpaceSampler (nas.samplers.base) with a method propose")
    try:
        inspect.signature(found).bind(None, within=None, seed=0, factor=None, retrain=None, by_proposal=False)
    except TypeError:
        raise ValueError("must take the arguments of SpaceSampler (nas.samplers.base)") from None
    return SamplerInfo(name=name, code=name, label=name, startup=found.startup, multi_objective=found.multi_objective)


SAMPLERS = Registry(
    "sampler",
    [
        SamplerInfo(
            name="random",
            code="nas.samplers.random_search:UniformSampler",
            label="every network within the bands is as likely as any other",
            use="a baseline for all others; a representative sample of the band",
            startup=0,
            multi_objective=True,
            color=PURPLE,
            marker="o",
        ),
        SamplerInfo(
            name="tpe",
            code="nas.samplers.tpe:TpeSampler",
            label="Optuna's tree-structured Parzen estimator, multivariate",
            use="many trials, choices that depend little on each other",
            source="Bergstra et al. 2011",
            startup=10,
            multi_objective=True,
            color=BROWN,
            marker="^",
        ),
        SamplerInfo(
            name="nsga2",
            code="nas.samplers.nsga2:Nsga2Sampler",
            label="Optuna's NSGA-II operators, population 20",
            use="trading accuracy against cost",
            source="Deb et al. 2002",
            startup=20,
            multi_objective=True,
            color=PINK,
            marker="P",
        ),
        SamplerInfo(
            name="gp",
            code="nas.samplers.gp:GpSampler",
            label="Optuna's Gaussian process, on the 30 best and the 30 latest trials",
            use="few choices, tens of trials",
            startup=10,
            multi_objective=True,
            color=SKY,
            marker="X",
        ),
        SamplerInfo(
            name="evolution",
            code="nas.samplers.evolution:EvolutionSampler",
            label="aging evolution: the best of 5 among the last 20, one choice changed",
            use="thousands of cheap trials, such as tables and zero-cost proxies",
            source="Real et al. 2019, arXiv 1802.01548, algorithm 1",
            startup=20,
            multi_objective=False,
            color=BLUE,
            marker="v",
        ),
        SamplerInfo(
            name="ppo",
            code="nas.samplers.ppo:PpoSampler",
            label="a recurrent controller trained with PPO, 10 trials a batch",
            use="comparison with MnasNet; it needs many trials",
            source="MnasNet, arXiv 1807.11626, section 3.2",
            startup=10,
            multi_objective=False,
            color=GREEN,
            marker="s",
        ),
        SamplerInfo(
            name="predictor",
            code="nas.samplers.predictor.sampler:PredictorSampler",
            label="a Gaussian process of the accuracy over architecture features, with known costs",
            use="expensive trainings: tens to hundreds of trials",
            source="ours; docs/samplers.md",
            startup=8,
            multi_objective=False,
            color=RED,
            marker="D",
        ),
    ],
    adopt,
)


def default(objectives: int = 1) -> str:
    """The default sampler for a number of objectives."""
    return DEFAULT if objectives == 1 else DEFAULT_PARETO


def check(name: str, objectives: int = 1, trials: int | None = None) -> None:
    """Raise ValueError for an unknown sampler, with the nearest name, or one that does not support the settings.

    A sampler may support one objective only, and needs at least its `startup` trials.
    """
    row = SAMPLERS.row(name)
    if objectives > 1 and not row.multi_objective:
        able = ", ".join(other.name for other in SAMPLERS.values() if other.multi_objective)
        raise ValueError(f"sampler {name} maximises one number, got {objectives} objectives: choose one of {able}")
    if trials is not None and trials < row.startup:
        raise ValueError(
            f"sampler {name} starts with {row.startup} trials, got {trials}: use more trials, or the sampler random"
        )


def make(
    name: str,
    space: Space,
    *,
    within: Within | None = None,
    seed: int = 0,
    factor: Factor | None = None,
    retrain: bool | None = None,
    by_proposal: bool = False,
) -> SpaceSampler:
    """The sampler called `name` on a space: an Optuna sampler, usable in any study over the space's choices.

    `name` is a row's, or a user's own module:name. `factor`, `retrain` and `by_proposal` are described in
    `SpaceSampler`. Raises ValueError for an unknown name.
    """
    sampler: SpaceSampler = SAMPLERS.row(name).load()(
        space, within=within, seed=seed, factor=factor, retrain=retrain, by_proposal=by_proposal
    )
    sampler.name = name
    return sampler

"""What a study may hold besides trainings that went well; every sampler continues."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

import search_spaces as ss
from nas.samplers import registry as samplers
from nas.samplers.parameters import distributions, to_choice, to_params

SPACE = ss.space("small", resolution=28)
BAND = (60_000_000, 70_000_000)
WITHIN = {"macs": BAND}
# Trials that went well, more than any sampler begins with.
WELL = max(info.startup for info in samplers.SAMPLERS.values()) + 4

OWN = "outside_sampler:Mine"

pytestmark = [pytest.mark.usefixtures("outside"), pytest.mark.parametrize("sampler", [*samplers.SAMPLERS, OWN])]


def networks(number: int, seed: int = 0) -> list[dict[str, Any]]:
    rows = SPACE.sample(np.random.default_rng(seed), number, macs=BAND, of="networks")
    return [to_params(SPACE, SPACE.choice(row)) for row in rows]


def trial(params: dict[str, Any], **fields: Any) -> FrozenTrial:
    return create_trial(params=params, distributions=dict(distributions(SPACE)), **fields)


def went_well() -> list[FrozenTrial]:
    def value(params: dict[str, Any]) -> float:
        return sum(str(chosen) == "mbconv6" for chosen in params.values())

    return [trial(params, value=value(params) + 0.01 * number) for number, params in enumerate(networks(WELL))]


def drawn(name: str, trials: list[FrozenTrial]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Two draws for a study of these trials, which are the sampler's own and in the band; and what it recommends."""
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    sampler = samplers.make(name, SPACE, within=WITHIN, seed=1, retrain=False)
    draws = [sampler.draw(study, (1, number)) for number in range(2)]
    assert {how for _, how in draws} == {"uniform" if name == "random" else name}
    for params, _ in draws:
        assert BAND[0] <= ss.cost(SPACE.decode(to_choice(SPACE, params))).macs <= BAND[1]
    return [params for params, _ in draws], sampler.recommend(study)


def test_infeasible_trials_are_neither_in_the_way_nor_recommended(sampler: str):
    unfit = networks(10, seed=2)
    _, recommended = drawn(sampler, [*went_well(), *(trial(params, state=TrialState.PRUNED) for params in unfit)])
    assert recommended not in unfit


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_none(sampler: str, value: float):
    unfit = networks(10, seed=2)
    known = went_well()
    infinite = [trial(params, value=value, intermediate_values={1: 9.0}) for params in unfit]
    nothing = [trial(params, state=TrialState.PRUNED) for params in unfit]
    assert drawn(sampler, [*known, *infinite]) == drawn(sampler, [*known, *nothing])


def test_recorded_values_that_were_taken_over_say_nothing_new_of_the_best(sampler: str):
    known = went_well()
    attributes: list[dict[str, Any]] = [{"repeat": True}, {"repeat_of": 3}]
    repeats = [trial(known[3].params, value=known[3].value, user_attrs=attributes[n % 2]) for n in range(10)]
    proposed, recommended = drawn(sampler, [*known, *repeats])
    plain = drawn(sampler, known)
    assert recommended == plain[1]
    if sampler in ("random", "evolution", "ppo", "predictor"):
        assert proposed == plain[0]


def test_another_tools_choices_under_the_same_names_are_not_looked_at(sampler: str):
    other = {
        name: CategoricalDistribution(("y", "z", *values.choices)) for name, values in distributions(SPACE).items()
    }
    foreign = [create_trial(params=dict.fromkeys(other, "z"), distributions=other, value=99.0) for _ in range(25)]
    name, values = next(iter(distributions(SPACE).items()))
    part = [create_trial(params={name: values.choices[0]}, distributions={name: values}, value=99.0)]
    known = went_well()
    assert drawn(sampler, [*known, *foreign, *part]) == drawn(sampler, known)

"""Aging evolution, NSGA-II and PPO: what each learns from, and from what it does not."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

import search_spaces as ss
from nas import optimize
from nas.samplers import registry as samplers
from nas.samplers.evolution import POPULATION, EvolutionSampler
from nas.samplers.parameters import distributions, to_params
from nas.samplers.ppo import Controller

SPACE = ss.Space("plain", {f"c{i}": tuple("abcd") for i in range(8)}, dict)


def hold(study: optuna.Study, encoding: np.ndarray, value: float | None) -> None:
    state = TrialState.PRUNED if value is None else TrialState.COMPLETE
    params = to_params(SPACE, SPACE.choice(encoding))
    study.add_trial(create_trial(state=state, value=value, params=params, distributions=dict(distributions(SPACE))))


def held(values: list[float | None]) -> tuple[optuna.Study, list[np.ndarray]]:
    """A study of random networks with these values, oldest first."""
    study = optuna.create_study(direction="maximize")
    encodings = list(SPACE.sample(np.random.default_rng(0), len(values)))
    for encoding, value in zip(encodings, values, strict=True):
        hold(study, encoding, value)
    return study, encodings


def test_an_old_champion_has_no_children():
    study, encodings = held([100.0, *range(POPULATION)])
    for draw in range(20):
        params, how = EvolutionSampler(SPACE).draw(study, (draw,))
        child = SPACE.encode(params)
        assert how == "evolution"
        assert (child != encodings[0]).sum() > 1
        assert min((child != parent).sum() for parent in encodings[1:]) == 1


def test_a_network_that_came_to_nothing_has_no_children_among_better_ones():
    study, encodings = held([None] * (POPULATION - 4) + [1.0, 1.0, 1.0, 1.0])
    # A sample of five among twenty with four good ones: where it holds a good one, that is the parent.
    parents = []
    for draw in range(30):
        child = SPACE.encode(EvolutionSampler(SPACE).draw(study, (draw,))[0])
        parents.append(int(np.argmin([(child != encoding).sum() for encoding in encodings])))
    # With no regard to fitness it would be 4 in 20; at best it is 1 - C(16, 5) / C(20, 5) = 72 %.
    assert np.mean(np.array(parents) >= POPULATION - 4) > 0.5


@pytest.mark.parametrize("sampler", ["evolution", "nsga2", "ppo", "predictor"])
def test_samplers_beat_chance_where_choices_add_up(sampler: str):
    def score(choice: dict[str, str]) -> float:
        return float(sum(value == "a" for value in choice.values()))

    # The best of 120 uniform draws has 5.4 of 8 in the mean; 6 or more have probability 0.4 % each.
    assert optimize(SPACE, score, sampler=sampler, trials=120, seed=0).best_value >= 6


def test_the_controller_comes_to_prefer_what_is_rewarded():
    rng, controller = np.random.default_rng(0), Controller([4] * 6, seed=0)
    before = (controller.sample(rng, 500) == 2).mean()
    for _ in range(30):
        drawn = controller.sample(rng, 10)
        controller.learn(drawn, (drawn == 2).sum(axis=1).astype(float))
    assert before == pytest.approx(0.25, abs=0.05)
    assert (controller.sample(rng, 500) == 2).mean() > 0.6


def test_a_controller_learns_nothing_from_equal_rewards_that_makes_it_sure():
    rng, controller = np.random.default_rng(0), Controller([4] * 6, seed=0)
    for _ in range(10):
        controller.learn(controller.sample(rng, 10), np.full(10, 0.7))
    shares = np.bincount(controller.sample(rng, 500).ravel(), minlength=4) / 3000
    assert shares.min() > 0.15


def test_unknown_samplers_are_refused_with_the_near_name():
    with pytest.raises(ValueError, match="'predictr'.*'predictor'"):
        samplers.check("predictr")

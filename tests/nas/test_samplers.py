"""One conformance suite that runs over every strategy; the contract is in `SpaceSampler`'s docstring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

import search_spaces as ss
from nas import samplers
from nas.parameters import distributions, to_choice, to_params
from nas.samplers.base import SpaceSampler

SPACE = ss.space("small", resolution=28)
BAND = (60_000_000, 70_000_000)

pytestmark = pytest.mark.parametrize("strategy", samplers.STRATEGIES)


def study_with(sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", sampler=sampler)


def value(params: dict[str, Any]) -> float:
    return sum(str(chosen) == "mbconv6" for chosen in params.values())


def run(sampler: SpaceSampler, trials: int, spoil: bool = False) -> list[dict[str, Any]]:
    """The parameters a study asks for; with `spoil`, trials fail, are pruned, or stay running in turn."""
    study = study_with(sampler)
    for number in range(trials):
        trial = study.ask(dict(distributions(SPACE)))
        if spoil and number % 4 == 1:
            study.tell(trial, state=TrialState.FAIL)
        elif spoil and number % 4 == 2:
            trial.report(value(trial.params), 1)
            study.tell(trial, state=TrialState.PRUNED)
        elif not spoil or number % 4 == 0:
            study.tell(trial, value(trial.params))
    return [trial.params for trial in study.get_trials()]


def macs(params: dict[str, Any]) -> int:
    return ss.cost(SPACE.decode(to_choice(SPACE, params))).macs


def test_every_proposal_lies_in_the_band(strategy: str):
    asked = run(samplers.make(strategy, SPACE, band=BAND, seed=1), 25)
    assert all(BAND[0] <= macs(params) <= BAND[1] for params in asked)


def test_without_a_band_every_proposal_is_a_member(strategy: str):
    for params in run(samplers.make(strategy, SPACE, seed=1), 15):
        SPACE.encode(to_choice(SPACE, params))


def test_same_seed_same_proposals(strategy: str):
    first, again = (run(samplers.make(strategy, SPACE, band=BAND, seed=3), 20) for _ in range(2))
    assert first == again


def test_other_seeds_other_proposals(strategy: str):
    first, other = (run(samplers.make(strategy, SPACE, band=BAND, seed=seed), 5) for seed in (3, 4))
    assert first != other


def test_failed_pruned_and_running_trials_are_fine(strategy: str):
    asked = run(samplers.make(strategy, SPACE, band=BAND, seed=5), 30, spoil=True)
    assert all(BAND[0] <= macs(params) <= BAND[1] for params in asked)


def test_a_new_sampler_goes_on_where_another_one_died(strategy: str):
    whole = run(samplers.make(strategy, SPACE, band=BAND, seed=7), 16)
    study = study_with(samplers.make(strategy, SPACE, band=BAND, seed=7))
    for number in range(16):
        if number == 9:
            study.sampler = samplers.make(strategy, SPACE, band=BAND, seed=7)
        trial = study.ask(dict(distributions(SPACE)))
        study.tell(trial, value(trial.params))
    assert [trial.params for trial in study.get_trials()] == whole


def test_a_draw_leaves_the_study_as_it_was(strategy: str):
    sampler = samplers.make(strategy, SPACE, band=BAND, seed=8)
    study = study_with(sampler)
    for _ in range(12):
        trial = study.ask(dict(distributions(SPACE)))
        study.tell(trial, value(trial.params))
    first, again = (sampler.draw(study, (8, 12)) for _ in range(2))
    assert first == again
    assert len(study.get_trials()) == 12


def test_enqueued_parameters_are_taken_as_they_are(strategy: str):
    sampler = samplers.make(strategy, SPACE, band=BAND, seed=9)
    given = to_params(SPACE, SPACE.choice(SPACE.sample(np.random.default_rng(0), 1)[0]))
    study = study_with(sampler)
    study.enqueue_trial(given)
    trial = study.ask(dict(distributions(SPACE)))
    assert trial.params == given


def test_how_a_trial_was_drawn_is_known(strategy: str):
    sampler = samplers.make(strategy, SPACE, band=BAND, seed=2)
    run(sampler, 12)
    assert sampler.how(0) in ("uniform", strategy)
    assert sampler.how(11) in ("uniform", strategy)


def test_trials_under_way_do_not_stop_the_others(strategy: str):
    study = study_with(samplers.make(strategy, SPACE, band=BAND, seed=10))
    for _ in range(12):
        trial = study.ask(dict(distributions(SPACE)))
        study.tell(trial, value(trial.params))
    asked = [study.ask(dict(distributions(SPACE))).params for _ in range(6)]
    assert all(BAND[0] <= macs(params) <= BAND[1] for params in asked)
    assert len({tuple(params.values()) for params in asked}) > 1


def test_a_study_in_a_storage_goes_on_as_one_in_memory(strategy: str, tmp_path: Path):
    whole = run(samplers.make(strategy, SPACE, band=BAND, seed=11), 14)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    for _ in range(2):
        sampler = samplers.make(strategy, SPACE, band=BAND, seed=11)
        study = optuna.create_study(
            storage=url, study_name="s", sampler=sampler, direction="maximize", load_if_exists=True
        )
        for _ in range(7):
            trial = study.ask(dict(distributions(SPACE)))
            study.tell(trial, value(trial.params))
    assert [trial.params for trial in study.get_trials()] == whole


def test_networks_without_a_cost_and_a_study_of_ones_own(strategy: str):
    space = ss.Space("plain", {"a": (1, 2, 3, 4), "b": ("x", "y"), "c": (None, True), "d": (0.5,)}, dict)
    study = study_with(samplers.make(strategy, space, seed=1))

    def objective(trial: optuna.Trial) -> float:
        chosen = {name: trial.suggest_categorical(name, values) for name, values in space.choices.items()}
        return float(chosen["a"])

    study.optimize(objective, n_trials=14)
    assert study.best_value == 4


def test_a_minimised_study_goes_down(strategy: str):
    sampler = samplers.make(strategy, SPACE, band=BAND, seed=1)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    for _ in range(12):
        trial = study.ask(dict(distributions(SPACE)))
        study.tell(trial, value(trial.params))
    lowest = min(value(trial.params) for trial in study.get_trials())
    assert value(sampler.recommend(study)) <= lowest + 1


def test_several_objectives_are_taken_or_refused_in_one_line(strategy: str):
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=samplers.make(strategy, SPACE, band=BAND))
    if strategy in samplers.SINGLE:
        with pytest.raises(ValueError, match=f"^strategy {strategy} .* 2 objectives: choose .*$"):
            study.ask(dict(distributions(SPACE)))
        return
    for _ in range(22):
        trial = study.ask(dict(distributions(SPACE)))
        study.tell(trial, (value(trial.params), float(macs(trial.params))))
    assert all(BAND[0] <= macs(trial.params) <= BAND[1] for trial in study.get_trials())


def test_nothing_complete_cannot_be_recommended_from(strategy: str):
    sampler = samplers.make(strategy, SPACE, band=BAND)
    with pytest.raises(ValueError, match="no trial is complete"):
        sampler.recommend(study_with(sampler))


def test_choices_of_one_value_are_no_obstacle(strategy: str):
    space, band = ss.space("efficientnetv2", resolution=32, width=0.25, classes=10), (15_000_000, 30_000_000)
    sampler = samplers.make(strategy, space, band=band, seed=3)
    study = study_with(sampler)
    for number in range(14):
        trial = study.ask(dict(distributions(space)))
        choice = to_choice(space, trial.params)
        assert band[0] <= ss.cost(space.decode(choice)).macs <= band[1]
        study.tell(trial, float(number % 5))

"""One conformance suite that runs over every sampler; the contract is in `SpaceSampler`'s docstring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

import search_spaces as ss
from nas.samplers import registry as samplers
from nas.samplers.base import SpaceSampler
from nas.samplers.parameters import distributions, to_choice, to_params

SPACE = ss.space("small", resolution=28)
BAND = (60_000_000, 70_000_000)
WITHIN = {"macs": BAND}
OWN = "outside_sampler:Mine"

pytestmark = [pytest.mark.usefixtures("outside"), pytest.mark.parametrize("name", [*samplers.SAMPLERS, OWN])]


def enough(name: str) -> int:
    """Trials behind the start-up, where a sampler begins to say something; gp's draws take long."""
    return samplers.SAMPLERS.row(name).startup + (3 if name == "gp" else 10)


def study_with(sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", sampler=sampler)


def value(params: dict[str, Any]) -> float:
    return sum(str(chosen) == "mbconv6" for chosen in params.values())


def extend(study: optuna.Study, trials: int, spoil: bool = False) -> None:
    """Ask for so many trials; with `spoil`, every second one fails, is pruned with or without a rung, or runs on."""
    for number in range(trials):
        trial = study.ask(dict(distributions(SPACE)))
        if not spoil or number % 2 == 0:
            study.tell(trial, value(trial.params))
        elif number % 8 == 1:
            study.tell(trial, state=TrialState.FAIL)
        elif number % 8 in (3, 5):
            if number % 8 == 3:
                trial.report(value(trial.params), 1)
            study.tell(trial, state=TrialState.PRUNED)


def asked(study: optuna.Study) -> list[dict[str, Any]]:
    return [trial.params for trial in study.get_trials()]


def run(sampler: SpaceSampler, trials: int, spoil: bool = False) -> list[dict[str, Any]]:
    """The parameters a study asks for; the sampler has its own say in the last ones."""
    study = study_with(sampler)
    extend(study, trials, spoil)
    assert has_its_say(sampler, trials)
    return asked(study)


def asked_alone(sampler: SpaceSampler) -> dict[str, Any]:
    return study_with(sampler).ask(dict(distributions(SPACE))).params


def has_its_say(sampler: SpaceSampler, trials: int, last: int = 3) -> bool:
    """Whether the last draws of so many are the sampler's own; all that random draws is uniform."""
    own = "uniform" if sampler.name == "random" else sampler.name
    return {sampler.how(number) for number in range(trials - last, trials)} == {own}


def macs(params: dict[str, Any]) -> int:
    return ss.cost(SPACE.decode(to_choice(SPACE, params))).macs


def test_a_row_says_what_its_class_says(name: str):
    row = samplers.SAMPLERS.row(name)
    made = row.load()
    assert (row.startup, row.multi_objective) == (made.startup, made.multi_objective)
    assert samplers.make(name, SPACE).name == name


def test_every_proposal_lies_in_the_band(name: str):
    proposed = run(samplers.make(name, SPACE, within=WITHIN, seed=1), enough(name))
    assert all(BAND[0] <= macs(params) <= BAND[1] for params in proposed)


def test_without_a_band_every_proposal_is_a_member(name: str):
    for params in run(samplers.make(name, SPACE, seed=1), enough(name)):
        SPACE.encode(to_choice(SPACE, params))


def test_same_seed_same_proposals(name: str):
    first, again = (run(samplers.make(name, SPACE, within=WITHIN, seed=3), enough(name)) for _ in range(2))
    assert first == again


def test_other_seeds_other_proposals(name: str):
    begun, start = study_with(samplers.make("random", SPACE, within=WITHIN)), samplers.SAMPLERS.row(name).startup
    extend(begun, start)
    proposed = []
    for seed in (3, 4):
        sampler = samplers.make(name, SPACE, within=WITHIN, seed=seed)
        study = study_with(sampler)
        study.add_trials(begun.get_trials())
        extend(study, 3)
        assert has_its_say(sampler, start + 3)
        proposed.append(asked(study)[start:])
    assert proposed[0] != proposed[1]
    alone = [asked_alone(samplers.make(name, SPACE, within=WITHIN, seed=seed)) for seed in (3, 4)]
    assert alone[0] != alone[1]


def test_failed_pruned_and_running_trials_are_fine(name: str):
    proposed = run(
        samplers.make(name, SPACE, within=WITHIN, seed=5), 2 * samplers.SAMPLERS.row(name).startup + 8, spoil=True
    )
    assert all(BAND[0] <= macs(params) <= BAND[1] for params in proposed)


def test_a_new_sampler_goes_on_where_another_one_died(name: str):
    start = samplers.SAMPLERS.row(name).startup
    whole = run(samplers.make(name, SPACE, within=WITHIN, seed=7), start + 4)
    study = study_with(samplers.make(name, SPACE, within=WITHIN, seed=7))
    for trials in (start, 2, 2):
        extend(study, trials)
        study.sampler = samplers.make(name, SPACE, within=WITHIN, seed=7)
    assert asked(study) == whole


def test_a_draw_leaves_the_study_as_it_was(name: str):
    sampler = samplers.make(name, SPACE, within=WITHIN, seed=8)
    study = study_with(sampler)
    extend(study, samplers.SAMPLERS.row(name).startup + 1)
    first, again = (sampler.draw(study, (8, 12)) for _ in range(2))
    assert first == again
    assert first[1] == ("uniform" if name == "random" else name)
    assert len(study.get_trials()) == samplers.SAMPLERS.row(name).startup + 1


def test_enqueued_parameters_are_taken_as_they_are(name: str):
    sampler = samplers.make(name, SPACE, within=WITHIN, seed=9)
    given = to_params(SPACE, SPACE.choice(SPACE.sample(np.random.default_rng(0), 1)[0]))
    study = study_with(sampler)
    study.enqueue_trial(given)
    trial = study.ask(dict(distributions(SPACE)))
    assert trial.params == given


def test_how_a_trial_was_drawn_is_known(name: str):
    sampler = samplers.make(name, SPACE, within=WITHIN, seed=2)
    start = samplers.SAMPLERS.row(name).startup
    run(sampler, start + 3)
    # The predictor's first network is the largest of some.
    begins = [sampler.how(number) for number in range(name == "predictor", start)]
    assert set(begins) <= {"uniform"}
    assert sampler.how(start + 3) == "given"


def test_trials_under_way_do_not_stop_the_others(name: str):
    sampler, start = samplers.make(name, SPACE, within=WITHIN, seed=10), samplers.SAMPLERS.row(name).startup
    study = study_with(sampler)
    extend(study, start)
    under_way = [study.ask(dict(distributions(SPACE))).params for _ in range(6)]
    assert has_its_say(sampler, start + 6, last=6)
    assert all(BAND[0] <= macs(params) <= BAND[1] for params in under_way)
    assert len({tuple(params.values()) for params in under_way}) > 1


def test_a_study_in_a_storage_goes_on_as_one_in_memory(name: str, tmp_path: Path):
    start, memory = samplers.SAMPLERS.row(name).startup, study_with(samplers.make(name, SPACE, within=WITHIN, seed=11))
    extend(memory, start + 2)
    # An added trial is one write, one that is asked for is one for each choice.
    url, begun = f"sqlite:///{tmp_path / 'study.db'}", memory.get_trials()[:start]
    optuna.create_study(storage=url, study_name="s", direction="maximize").add_trials(begun)
    for _ in range(2):
        sampler = samplers.make(name, SPACE, within=WITHIN, seed=11)
        study = optuna.load_study(storage=url, study_name="s", sampler=sampler)
        extend(study, 1)
    assert has_its_say(sampler, start + 2, last=1)
    assert asked(study) == asked(memory)


def test_networks_without_a_cost_and_a_study_of_ones_own(name: str):
    space = ss.Space("plain", {"a": (1, 2, 3, 4), "b": ("x", "y"), "c": (None, True), "d": (0.5,)}, dict)
    study = study_with(samplers.make(name, space, seed=1))

    def objective(trial: optuna.Trial) -> float:
        chosen = {name: trial.suggest_categorical(name, values) for name, values in space.choices.items()}
        return float(chosen["a"])

    study.optimize(objective, n_trials=samplers.SAMPLERS.row(name).startup + 14)
    assert study.best_value == 4


def test_a_minimised_study_goes_down(name: str):
    sampler = samplers.make(name, SPACE, within=WITHIN, seed=1)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    extend(study, enough(name))
    assert has_its_say(sampler, enough(name))
    lowest = min(value(trial.params) for trial in study.get_trials())
    assert value(sampler.recommend(study)) <= lowest + 1


def test_several_objectives_are_taken_or_refused_in_one_line(name: str):
    sampler = samplers.make(name, SPACE, within=WITHIN)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    if not samplers.SAMPLERS.row(name).multi_objective:
        with pytest.raises(ValueError, match=f"sampler {name}"):
            study.ask(dict(distributions(SPACE)))
        return
    for _ in range(samplers.SAMPLERS.row(name).startup + 2):
        trial = study.ask(dict(distributions(SPACE)))
        study.tell(trial, (value(trial.params), float(macs(trial.params))))
    assert has_its_say(sampler, len(study.get_trials()), last=2)
    assert all(BAND[0] <= macs(trial.params) <= BAND[1] for trial in study.get_trials())


def test_nothing_complete_cannot_be_recommended_from(name: str):
    sampler = samplers.make(name, SPACE, within=WITHIN)
    with pytest.raises(ValueError, match="complete"):
        sampler.recommend(study_with(sampler))


def test_choices_of_one_value_are_no_obstacle(name: str):
    space, band = ss.space("efficientnetv2", resolution=32, width=0.25, classes=10), (15_000_000, 30_000_000)
    sampler = samplers.make(name, space, within={"macs": band}, seed=3)
    study = study_with(sampler)
    for number in range(samplers.SAMPLERS.row(name).startup + 4):
        trial = study.ask(dict(distributions(space)))
        choice = to_choice(space, trial.params)
        assert band[0] <= ss.cost(space.decode(choice)).macs <= band[1]
        study.tell(trial, float(number % 5))
    assert has_its_say(sampler, samplers.SAMPLERS.row(name).startup + 4)

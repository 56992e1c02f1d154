"""The predictor and its parts, against closed forms, differences and simulated measurements."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial
from scipy.optimize import approx_fprime

import search_spaces as ss
from nas import optimize
from nas.samplers import registry as samplers
from nas.samplers.history import Reader
from nas.samplers.parameters import distributions, to_params
from nas.samplers.predictor.acquisition import log_improvement
from nas.samplers.predictor.features import features
from nas.samplers.predictor.fit import NegativeLogPosterior
from nas.samplers.predictor.kernel import Hyperparameters, covariance
from nas.samplers.predictor.model import Model, fit_latest_and_best
from nas.samplers.predictor.observations import accuracies, observations
from nas.samplers.predictor.sampler import STARTUP, PredictorSampler
from nas.samplers.predictor.transform import OutputTransform

PLAIN = ss.Space("plain", {"kernel": (3, 5, 7), "op1": tuple("abc"), "op2": tuple("abc"), "one": (1,)}, dict)
SMALL = ss.space("small", resolution=28)


def hyper(space: ss.Space, residual: float = 0.1, network_share: float = 0.0) -> Hyperparameters:
    found = features(space, None)
    summaries = found(space.sample(np.random.default_rng(0), 2)).summaries.shape[1]
    weights, rates = np.full(len(space.radices), 0.3), np.full(summaries, 0.2)
    return Hyperparameters(0.5, 0.5, 0.5, residual, network_share, weights, rates)


def study_of(space: ss.Space, trials: list[dict[str, Any]]) -> optuna.Study:
    """A study with trials given as keyword arguments of `create_trial` and an `encoding`."""
    study = optuna.create_study(direction="maximize")
    for trial in trials:
        params = to_params(space, space.choice(trial["encoding"]))
        fields = {key: value for key, value in trial.items() if key != "encoding"}
        study.add_trial(create_trial(params=params, distributions=dict(distributions(space)), **fields))
    return study


def test_distances_follow_ranks_for_numbers_and_are_one_for_names():
    choices = features(PLAIN, None)(np.array([[0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0], [0, 2, 0, 0], [0, 1, 1, 0]]))[0]
    assert ((choices[0] - choices) ** 2).sum(axis=1) == pytest.approx([0, 0.5, 1, 1, 2])


def test_summaries_count_the_values_of_choices_that_share_them():
    counts = features(PLAIN, None)(np.array([[0, 0, 1, 0], [2, 1, 0, 0], [0, 0, 0, 0]])).summaries
    assert counts[0] == pytest.approx(counts[1])
    assert counts.shape[1] == 3
    assert not np.allclose(counts[0], counts[2])


def test_only_spaces_that_compute_costs_from_tables_have_them_as_features():
    assert features(SMALL, None).has_costs
    assert not features(PLAIN, None).has_costs


def test_covariances_are_positive_semidefinite():
    rows = np.unique(SMALL.canonical(SMALL.sample(np.random.default_rng(1), 40)), axis=0)
    described = features(SMALL, None)
    inputs = described(rows)
    assert np.linalg.eigvalsh(covariance(hyper(SMALL), described.owner, inputs, inputs)).min() > -1e-9


def test_the_gradient_of_the_fit_is_that_of_finite_differences():
    rng, described = np.random.default_rng(2), features(PLAIN, None)
    inputs = described(PLAIN.sample(rng, 12)[[*range(12), 0, 0]])
    density = NegativeLogPosterior(inputs, described.owner, 4, rng.normal(size=14), rng.random(14))
    logs = density.means + rng.normal(size=len(density.means)) / 2
    numeric = approx_fprime(logs, lambda at: density(at)[0], 1e-6)
    assert density(logs)[1] == pytest.approx(numeric, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("deviation", [0.0, 0.3, 1.0])
def test_repeated_trainings_tell_the_noise(deviation: float):
    rng, described = np.random.default_rng(4), features(PLAIN, None)
    which = np.arange(120) % 20
    rows = np.unique(PLAIN.sample(rng, 200), axis=0)[:20][which]
    values = rng.normal(size=20)[which] + deviation * rng.normal(size=120)
    found = fit_latest_and_best(described, observations_of(rows, values), 4, prior=False)
    assert np.sqrt(found.nugget) == pytest.approx(deviation, abs=0.1)


def test_the_posterior_is_the_textbooks():
    rng, described = np.random.default_rng(3), features(PLAIN, None)
    measured, asked = np.array([[0, 0, 0, 0], [1, 2, 0, 0], [2, 1, 1, 0]]), np.array([[2, 2, 2, 0]])
    known = observations_of(measured, rng.normal(size=3))
    model = Model(described, known, hyper(PLAIN), prior=False)
    left, right = described(measured), described(asked)
    total = covariance(hyper(PLAIN), described.owner, left, left)
    # The network effect of a measured network is in the covariance already.
    total = total + np.eye(3) * (1.5 + 0.5 + 0.1 - total[0, 0] + 1e-6 + 0.5)
    shared = covariance(hyper(PLAIN), described.owner, left, right)
    assert model.posterior(asked).mean == pytest.approx(shared.T @ np.linalg.solve(total, known.values), rel=1e-4)


def observations_of(encodings: np.ndarray, values: np.ndarray) -> Any:
    from nas.samplers.predictor.observations import Observations

    return Observations(encodings, values, np.zeros(len(values)), OutputTransform(0.0, 1.0))


def test_running_trials_lose_variance_and_keep_their_mean():
    described = features(PLAIN, None)
    known = observations_of(np.array([[0, 0, 0, 0], [1, 2, 0, 0]]), np.array([0.5, -1.0]))
    model, pending = Model(described, known, hyper(PLAIN), prior=False), np.array([[2, 2, 2, 0]])
    before = model.posterior(pending)
    model.condition_on_pending(pending)
    after = model.posterior(pending)
    assert after.mean == pytest.approx(before.mean, abs=1e-4)
    assert after.deviation[0] < before.deviation[0] / 2


@given(st.floats(-30, 5))
def test_expected_improvement_is_the_integral(above: float):
    from scipy.integrate import quad

    if above > -5:
        integral = quad(lambda z: (above + z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi), -above, 12)[0]
        assert np.exp(log_improvement(np.array([above])))[0] == pytest.approx(integral, rel=1e-3)
    else:
        nearer = log_improvement(np.array([above, above + 0.01]))
        assert nearer[0] < nearer[1]


@given(st.lists(st.floats(0, 100), min_size=2, max_size=20))
def test_an_output_transform_keeps_the_order_and_can_be_undone(values: list[float]):
    array = np.array(values)
    transform = OutputTransform.of(array)
    transformed = transform(array)
    assert (np.diff(transformed[np.argsort(array)]) >= 0).all()
    assert transform.inverse(transformed) == pytest.approx(array, abs=1e-5 * max(1.0, transform.scale))


def test_stopped_trials_count_by_the_extrapolation_of_their_last_rung():
    rng = np.random.default_rng(4)
    rows = PLAIN.sample(rng, 21)
    early = rng.random(20)
    trials = [
        {"encoding": row, "state": TrialState.COMPLETE, "value": 2 * low + 1, "intermediate_values": {1: low}}
        for row, low in zip(rows[:20], early, strict=True)
    ]
    stopped = {"encoding": rows[20], "state": TrialState.PRUNED, "intermediate_values": {1: float(early.max())}}
    study = study_of(PLAIN, [*trials, stopped])
    known = observations(accuracies(Reader(PLAIN).entries(study), None))
    assert known is not None
    # As good as the best of those that went on, and less certain.
    assert known.transform.inverse(known.values)[20] == pytest.approx(2 * early.max() + 1, abs=0.3)
    assert known.extra[20] > 0
    assert (known.extra[:20] == 0).all()


def test_a_network_that_came_to_nothing_counts_as_the_worst_and_repeats_do_not_count():
    rows = PLAIN.sample(np.random.default_rng(5), 4)
    trials: list[dict[str, Any]] = [
        {"encoding": rows[0], "state": TrialState.COMPLETE, "value": 0.5},
        {"encoding": rows[1], "state": TrialState.COMPLETE, "value": 0.9},
        {"encoding": rows[2], "state": TrialState.PRUNED},
        {"encoding": rows[1], "state": TrialState.COMPLETE, "value": 0.9, "user_attrs": {"repeat": True}},
    ]
    known = observations(accuracies(Reader(PLAIN).entries(study_of(PLAIN, trials)), None))
    assert known is not None
    assert known.transform.inverse(known.values) == pytest.approx([0.5, 0.9, 0.5])


def test_the_known_part_of_the_reward_is_divided_out():
    rows = PLAIN.sample(np.random.default_rng(6), 2)
    trials = [{"encoding": row, "state": TrialState.COMPLETE, "value": 0.6} for row in rows]
    entries = Reader(PLAIN).entries(study_of(PLAIN, trials))
    assert [e.value for e in accuracies(entries, lambda at: np.array([2.0, 0.5]))] == pytest.approx([0.3, 1.2])


def test_the_winner_is_not_the_luckiest_measurement():
    space = ss.Space("sum", {f"c{i}": tuple("ab") for i in range(8)}, dict)
    rows = np.unique(space.sample(np.random.default_rng(7), 120), axis=0)
    sums = rows.sum(axis=1)
    # One step is worth a bit more than a training's deviation; one middling network was lucky by four deviations.
    values = sums / 40 + 0.02 * np.random.default_rng(8).normal(size=len(rows))
    poor = int(np.flatnonzero(sums == 4)[0])
    values[poor] = values.max() + 0.01
    trials = [{"encoding": r, "state": TrialState.COMPLETE, "value": v} for r, v in zip(rows, values, strict=True)]
    study = study_of(space, trials)
    recommended = space.encode(PredictorSampler(space).recommend(study))
    luckiest = space.encode(samplers.make("random", space).recommend(study))
    assert luckiest.tolist() == rows[poor].tolist()
    assert recommended.sum() >= 6


def test_the_prior_can_be_switched_off():
    def first(prior: bool) -> int:
        sampler = PredictorSampler(SMALL, seed=1, prior=prior)
        params, _ = sampler.draw(optuna.create_study(direction="maximize"), (0, 0))
        return int(SMALL.costs(SMALL.encode(params)[None]).macs[0])

    assert first(True) > 1.2 * first(False)


def test_it_never_proposes_what_is_known():
    space = ss.Space("tiny", {"a": (1, 2, 3), "b": tuple("xyz"), "c": (True, False)}, dict)
    sampler = PredictorSampler(space, seed=2, retrain=False)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(18):
        trial = study.ask(dict(distributions(space)))
        study.tell(trial, float(trial.params["a"]))
    asked = [tuple(trial.params.values()) for trial in study.get_trials()][STARTUP:]
    assert len(set(asked)) == len(asked)


def test_with_retraining_the_leaders_are_measured_again():
    space = ss.Space("sum", {f"c{i}": tuple("ab") for i in range(6)}, dict)

    def trained(retrain: bool | None) -> list[tuple[int, ...]]:
        sampler, rng = PredictorSampler(space, seed=3, retrain=retrain), np.random.default_rng(0)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for _ in range(40):
            trial = study.ask(dict(distributions(space)))
            value = space.encode(trial.params).sum() / 100
            study.tell(trial, float(value + 0.02 * rng.normal()))
        return [tuple(space.encode(trial.params).tolist()) for trial in study.get_trials()]

    assert len(set(trained(False)[STARTUP:])) == 40 - STARTUP
    again = trained(None)
    assert again == trained(True)
    most = max(set(again), key=again.count)
    assert again.count(most) >= 3
    # Effort goes to networks near the top.
    assert sum(most) >= 5


def test_where_repeats_take_over_recorded_values_it_proposes_new_networks_only():
    space = ss.Space("sum", {f"c{i}": tuple("ab") for i in range(6)}, dict)
    rng = np.random.default_rng(0)
    study = optimize(
        space,
        lambda choice: list(choice.values()).count("b") / 100 + 0.02 * rng.normal(),
        sampler="predictor",
        trials=40,
    )
    # Start-up draws may be repeats as well.
    repeats = [trial.number for trial in study.study.get_trials() if trial.user_attrs["repeat"]]
    assert len([number for number in repeats if number >= STARTUP + 2]) <= 1

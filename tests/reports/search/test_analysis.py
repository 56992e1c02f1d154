"""What is computed from a search's trials: the expected best of random ones, importance, other objectives, rungs."""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
import optuna
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator

from nas.objectives.registry import make_objective
from nas.objectives.rewards import Aim
from reports.search import importance as importances
from reports.search.expected_best import best_chances, random_search, uniform_rewards
from reports.search.importance import importance
from reports.search.reranking import STEEPEST, Pick, picks, sweep
from reports.search.rung_agreement import agreements, unstopped

T = 1_000_000
REWARDS = st.lists(st.floats(0, 1), min_size=1, max_size=7)


@given(REWARDS)
def test_the_expected_best_is_the_mean_over_all_subsets(rewards: list[float]):
    sizes = np.arange(1, len(rewards) + 1)
    expected = best_chances(len(rewards), sizes) @ np.sort(rewards)
    brute = [np.mean([max(subset) for subset in combinations(rewards, size)]) for size in sizes]
    np.testing.assert_allclose(expected, brute, atol=1e-9)


@given(st.integers(1, 3000))
def test_chances_add_up_to_one(number: int):
    sizes = np.unique(np.geomspace(1, number, 9).astype(np.int64))
    np.testing.assert_allclose(best_chances(number, sizes).sum(1), 1, atol=1e-8)


def uniform(rewards: list[float], **changes: object) -> pd.DataFrame:
    frame = pd.DataFrame({"reward": rewards, "proposed_by": "uniform", "outcome": "complete"})
    return frame.assign(**changes)  # type: ignore[arg-type]


def test_random_search_counts_uniform_trials_and_their_own_failures():
    frame = uniform([0.5, 0.6, np.nan, np.nan, 0.7], outcome=["complete", "pruned", "nan", "error", "complete"])
    frame.loc[4, "proposed_by"] = "tpe"
    assert uniform_rewards(frame).tolist() == [0.5, 0.6, 0.0]
    assert random_search(frame) is None


def test_the_interval_holds_the_expectation_and_ends_at_the_best():
    found = random_search(uniform(np.linspace(0.4, 0.6, 21).tolist()))
    assert found is not None
    assert (found.trials[0], found.trials[-1]) == (1, 21)
    assert found.expected[0] == pytest.approx(0.5)
    assert found.expected[-1] == pytest.approx(0.6)
    assert (found.low <= found.expected).all()
    assert (found.expected <= found.high + 1e-9).all()
    assert (np.diff(found.expected) > 0).all()


def complete(number: int, seed: int, effect: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"choice_{name}": rng.choice(list("abc"), number) for name in ("op", "skip", "kernel")})
    frame["reward"] = rng.normal(0.5, 0.02, number) + effect * (frame["choice_skip"] == "b")
    return frame


@settings(max_examples=15, deadline=None)
@given(st.integers(20, 60), st.integers(0, 1000))
def test_importance_is_optunas(number: int, seed: int):
    frame = complete(number, seed, 0.02)
    found = importance(frame, resamples=2)
    assert found is not None
    kinds = {name: CategoricalDistribution(sorted(frame[f"choice_{name}"].unique())) for name in found.choices}
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={name: row[f"choice_{name}"] for name in kinds}, distributions=dict(kinds), value=row["reward"]
            )
            for row in frame.to_dict("records")
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = PedAnovaImportanceEvaluator(target_quantile=importances.TOP).evaluate(study)
    # Optuna's figures are multiplied by the square of the share of the best trials.
    share = np.ceil(importances.TOP * number) / number
    for name, value in zip(found.choices, found.value, strict=True):
        assert value * share**2 == pytest.approx(theirs[name], rel=1e-6, abs=1e-9)


def test_a_choice_that_decides_stands_out_and_others_do_not():
    found = importance(complete(120, 1, effect=0.1))
    assert found is not None
    assert found.choices[0] == "skip"
    assert found.above_chance.tolist() == [True, False, False]
    assert (found.low <= found.high).all()


def test_chance_alone_rarely_stands_out():
    told = [importance(complete(30, seed), resamples=60) for seed in range(40)]
    assert sum(bool(found and found.above_chance.any()) for found in told) <= 2


def test_too_few_trials_or_none_that_differ_have_no_importance():
    assert importance(complete(19, 0)) is None
    assert importance(complete(30, 0).assign(choice_op="a", choice_skip="a", choice_kernel="a")) is None


def networks(*pairs: tuple[float, int]) -> pd.DataFrame:
    keys = [f"k{index}" for index in range(len(pairs))]
    accuracy, macs = zip(*pairs, strict=True)
    return pd.DataFrame({"key": keys, "accuracy": accuracy, "macs": macs})


def picked(objective: str, complete: pd.DataFrame, winner: str) -> list[Pick]:
    return picks(complete, make_objective(objective, Aim(T)), Aim(T), winner, ["macs"])


def test_picks_and_places_by_hand():
    # Above T the hard constraint takes a third of 0.9: 0.9 * T / 1.5 T = 0.6.
    found = {str(p.objective): p for p in picked("accuracy", networks((0.7, T), (0.9, 3 * T // 2)), "k1")}
    assert (found["accuracy"].key, found["accuracy"].rank, found["accuracy"].own) == ("k1", 1, True)
    hard = found["accuracy, times T/FLOPs above T"]
    assert (hard.key, hard.rank, hard.of) == ("k0", 2, 2)
    assert len(found) == 6
    assert picked("soft", networks((0.7, T)), "gone")[0].rank is None


@given(st.lists(st.tuples(st.floats(0.1, 1), st.integers(T // 2, 2 * T)), min_size=1, max_size=8))
def test_the_sweep_picks_what_each_objective_picks(pairs: list[tuple[float, int]]):
    swept = sweep(networks(*pairs), Aim(T))
    assert (swept["weight"].iloc[0], swept["weight"].iloc[-1]) == (0, STEEPEST)
    for _, row in swept.iloc[::50].iterrows():
        aim = make_objective("soft", Aim(T, weight=float(row["weight"])))
        best = max(aim.reward(accuracy, {"macs": macs}) for accuracy, macs in pairs)
        assert aim.reward(row["accuracy"], {"macs": row["cost"]}) == pytest.approx(best)


def test_rungs_agree_as_far_as_exempt_networks_say():
    frame = pd.DataFrame(
        {"accuracy_1": [1, 2, 3, 4, 9], "accuracy_2": [1, 3, 2, 4, 0], "accuracy_3": [1, 2, 3, 4, 0.0]}
    ).assign(never_pruned=[True, True, True, True, False])
    found = agreements(unstopped(frame, stopped=True))
    # One of six pairs is reversed after pass 2: (5 - 1) / 6.
    assert [(one.step, one.last, one.tau.n) for one in found] == [(1, 3, 4), (2, 3, 4)]
    assert [one.tau.value for one in found] == pytest.approx([1, 2 / 3])
    assert len(unstopped(frame, stopped=False)) == 5
    assert agreements(frame.head(2)) == []
    assert agreements(frame[["accuracy_1"]]) == []

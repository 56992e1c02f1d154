"""Rewards of the one form, by hand, with any metric in place of multiply-adds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas import Objective, mnas_reward, training_aware_reward
from nas.objectives.form import Term
from nas.objectives.pareto import pareto_front
from nas.objectives.registry import OBJECTIVES, ObjectiveRow, make_objective
from nas.objectives.rewards import Aim

METRICS = {"macs": 800.0, "params": 100.0, "inference_memory": 5.0}


def test_at_the_target_the_reward_is_the_accuracy():
    assert mnas_reward(0.75, 400e6, 400e6) == 0.75


def test_doubling_the_cost_must_buy_five_per_cent():
    # MnasNet, section 3.1: w = log(a / (a * 1.05)) / log 2, which the paper rounds to -0.07.
    assert mnas_reward(0.75 * 1.05, 800e6, 400e6) == pytest.approx(0.75, rel=3e-3)


def test_a_tiny_network_is_worth_what_the_design_says():
    # (31 / 400)^-0.07 = exp(0.07 * ln(12.903)) = 1.196
    assert mnas_reward(1.0, 31e6, 400e6) == pytest.approx(1.196, abs=5e-4)


def test_the_hard_constraint_is_flat_below_and_inverse_above():
    hard = make_objective("hard", Aim(400))
    assert [hard.reward(0.8, {"macs": macs}) for macs in (100, 400)] == [0.8, 0.8]
    assert hard.reward(0.8, {"macs": 800}) == pytest.approx(0.4)


@given(st.floats(0.01, 1), st.integers(1, 10**12), st.integers(1, 10**12))
def test_soft_rewards_fall_with_cost(accuracy: float, macs: int, target: int):
    assert mnas_reward(accuracy, 2 * macs, target) < mnas_reward(accuracy, macs, target)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_directions_and_values_agree(name: str):
    made = make_objective(name, Aim(400, axes=("macs", "params") if name == "pareto" else ()))
    metrics = METRICS | {"relative_step_time": 1.0, "relative_params": 1.0}
    assert len(made.directions) == len(made.values(0.7, metrics))
    assert made.directions == (("maximize", "minimize", "minimize") if name == "pareto" else ("maximize",))
    # At the target, or at the network that the space varies, every reward is the accuracy.
    assert made.reward(0.7, metrics | {"macs": 400.0}) == pytest.approx(0.7)


def test_any_metric_takes_the_place_of_multiply_adds():
    soft = make_objective("soft", Aim(50.0, "params", -1.0))
    assert soft.reward(0.8, METRICS) == pytest.approx(0.4)
    assert make_objective("hard", Aim(50.0, "params")).reward(0.8, METRICS) == pytest.approx(0.4)
    pareto = make_objective("pareto", Aim(50.0, "params", axes=("inference_memory", "macs")))
    assert pareto.values(0.8, METRICS) == (0.8, 5.0, 800.0)
    assert pareto.metrics == ("inference_memory", "macs", "params")
    assert (soft.is_product, pareto.is_product, make_objective("accuracy", Aim(1)).is_product) == (True, False, False)


def test_a_value_of_zero_counts_as_one_unit():
    assert Term("macs", 4.0, -0.5).factor({"macs": 0}) == Term("macs", 4.0, -0.5).factor({"macs": 1}) == 2.0
    # A time below a second is no count below 1.
    assert Term("step_time", 0.02, -0.5).factor({"step_time": 0.08}) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "aim", "message"),
    [
        ("sfot", Aim(400), "'sfot'.*'soft'"),
        ("soft", Aim(0), "target"),
        ("training-aware", Aim(400, params_weight=1.0), "^params_weight"),
        ("soft", Aim(400, weight=0.07), "^weight"),
        ("soft", Aim(400, weight=math.nan), "^weight"),
        ("pareto", Aim(400, axes=("parms",)), "'params'"),
        ("own_objective_missing:reward", Aim(400), "own_objective_missing"),
    ],
)
def test_nonsense_is_refused(name: str, aim: Aim, message: str):
    with pytest.raises(ValueError, match=message):
        make_objective(name, aim)


def test_the_training_aware_reward_by_hand():
    # 2^-0.07 = 0.9526, 4^-0.05 = 0.9330.
    assert training_aware_reward(0.8, 2.0, 4.0) == pytest.approx(0.8 * 0.95264 * 0.93303, abs=1e-4)
    assert training_aware_reward(0.8, 1.0, 1.0) == 0.8
    relative = {"relative_step_time": 2.0, "relative_params": 4.0}
    made = make_objective("training-aware", Aim(400))
    assert made.values(0.8, relative) == (training_aware_reward(0.8, 2.0, 4.0),)
    steep = make_objective("training-aware", Aim(400, weight=-1.0, params_weight=-2.0))
    assert steep.reward(0.8, relative | {"relative_params": 0.5}) == pytest.approx(1.6)
    assert (made.needs_step_times, made.is_product) == (True, False)


def test_without_a_metric_that_it_needs_a_reward_is_not_a_number():
    assert math.isnan(make_objective("training-aware", Aim(400)).reward(0.8, METRICS))
    assert math.isnan(make_objective("hard", Aim(400, "activations")).reward(0.8, METRICS))
    assert math.isnan(make_objective("pareto", Aim(400, axes=("activations",))).values(0.8, METRICS)[1])


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.1, 10))
def test_another_baseline_changes_no_ranking(first: float, second: float, baseline: float):
    one, other = training_aware_reward(0.7, first, 1.0), training_aware_reward(0.72, second, 1.0)
    again = [training_aware_reward(a, s / baseline, 1.0) for a, s in ((0.7, first), (0.72, second))]
    assert one / other == pytest.approx(again[0] / again[1])


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, int]]):
    def beats(a: tuple[int, int], b: tuple[int, int]) -> bool:
        return a[0] >= b[0] and a[1] <= b[1] and a != b

    expected = [not any(beats(other, point) for other in points) for point in points]
    accuracy, cost = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    assert pareto_front(accuracy, cost).tolist() == expected


@pytest.mark.parametrize(
    ("name", "aim", "text"),
    [
        ("soft", Aim(400), "accuracy * (FLOPs/T)^-0.07"),
        ("hard", Aim(400, "params"), "accuracy, times T/parameters above T"),
        ("pareto", Aim(400, axes=("macs", "inference_memory")), "accuracy up, FLOPs down, inference memory down"),
        ("accuracy", Aim(400), "accuracy"),
        ("training-aware", Aim(400), "accuracy * S^-0.07 * P^-0.05"),
    ],
)
def test_formulas_name_the_metric(name: str, aim: Aim, text: str):
    assert str(make_objective(name, aim)) == text


def test_a_users_reward_is_a_function_of_accuracy_and_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "own_objective.py").write_text(
        "from nas.objectives.form import Objective, Term\n"
        "from nas.objectives.registry import ObjectiveRow\n"
        "def small(quality, metrics): return quality - metrics['params'] / 1000\n"
        "def text(quality, metrics): return 'good'\n"
        "def steep(aim): return Objective('steep', 'accuracy * T/cost', (Term(aim.metric, aim.target, -1.0),))\n"
        "STEEP = ObjectiveRow(name='steep', code='own_objective:steep', label='steep', targeted=True)\n"
        "WRONG = ObjectiveRow(name='wrong', code='own_objective:text_of', label='wrong')\n"
        "def text_of(aim): return 'good'\n"
        "NUMBER = 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert make_objective("own_objective:small", Aim(400)).values(0.8, METRICS) == (pytest.approx(0.7),)
    assert make_objective("own_objective:STEEP", Aim(400)).reward(0.8, METRICS) == pytest.approx(0.4)
    assert isinstance(OBJECTIVES.row("own_objective:STEEP"), ObjectiveRow)
    for name in ("WRONG", "NUMBER"):
        with pytest.raises(ValueError, match=f"own_objective:{name}"):
            make_objective(f"own_objective:{name}", Aim(400))
    for metrics in (METRICS, {}):
        with pytest.raises(ValueError, match="own_objective:"):
            make_objective("own_objective:text" if metrics else "own_objective:small", Aim(400)).reward(0.8, metrics)


@pytest.mark.usefixtures("outside")
def test_the_example_of_the_docs_takes_a_point_for_each_million_parameters():
    made = make_objective("outside_objective:small", Aim(5e6, metric="params"))
    assert made.values(0.8, METRICS | {"params": 3e6}) == (pytest.approx(0.77),)


def test_an_objective_is_a_value():
    assert make_objective("soft", Aim(400)) == make_objective("soft", Aim(400))
    assert isinstance(make_objective("soft", Aim(400)), Objective)

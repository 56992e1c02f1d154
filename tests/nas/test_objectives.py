"""The reward's numbers, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas import Objective, mnas_reward, training_aware_reward
from nas.objectives import Relative, pareto_front


def test_at_the_target_the_reward_is_the_accuracy():
    assert mnas_reward(0.75, 400e6, 400e6) == 0.75


def test_doubling_the_cost_must_buy_five_per_cent():
    # MnasNet, section 3.1: w = log(a / (a * 1.05)) / log 2, which the paper rounds to -0.07.
    assert mnas_reward(0.75 * 1.05, 800e6, 400e6) == pytest.approx(0.75, rel=3e-3)


def test_a_tiny_network_is_worth_what_the_design_says():
    # (31 / 400)^-0.07 = exp(0.07 * ln(12.903)) = 1.196
    assert mnas_reward(1.0, 31e6, 400e6) == pytest.approx(1.196, abs=5e-4)


def test_the_hard_constraint_is_flat_below_and_inverse_above():
    hard = Objective("hard", 400)
    assert hard.reward(0.8, 100) == 0.8
    assert hard.reward(0.8, 400) == 0.8
    assert hard.reward(0.8, 800) == pytest.approx(0.4)


@given(st.floats(0.01, 1), st.integers(1, 10**12), st.integers(1, 10**12))
def test_soft_rewards_fall_with_cost(accuracy: float, macs: int, target: int):
    assert mnas_reward(accuracy, 2 * macs, target) < mnas_reward(accuracy, macs, target)


def test_directions_and_values_agree():
    assert Objective("accuracy", 400).values(0.7, 100) == (0.7,)
    pareto = Objective("pareto", 400)
    assert len(pareto.directions) == len(pareto.values(0.7, 100)) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("sfot", 400), "'sfot'.*'soft'"),
        (("soft", 0), "target.* 0$"),
        (("soft", 400, -0.07, 1.0), r"^--params-weight .*-0\.05.* 1\.0$"),
        (("soft", 400, 0.07), r"^--weight .*-0\.07.* 0\.07$"),
    ],
)
def test_nonsense_is_refused(settings: tuple[str, int], message: str):
    with pytest.raises(ValueError, match=message):
        Objective(*settings)


def test_the_training_aware_reward_by_hand():
    # 2^-0.07 = 0.9526, 4^-0.05 = 0.9330.
    assert training_aware_reward(0.8, 2.0, 4.0) == pytest.approx(0.8 * 0.95264 * 0.93303, abs=1e-4)
    assert training_aware_reward(0.8, 1.0, 1.0) == 0.8
    aim = Objective("training-aware", 400)
    assert aim.values(0.8, 123, Relative(2.0, 4.0)) == (training_aware_reward(0.8, 2.0, 4.0),)
    assert Objective("training-aware", 400, -1.0, -2.0).reward(0.8, 1, Relative(2.0, 0.5)) == pytest.approx(1.6)
    assert str(aim) == "accuracy * S^-0.07 * P^-0.05"
    assert aim.directions == ("maximize",)


def test_without_a_step_time_the_training_aware_reward_is_not_a_number():
    aim = Objective("training-aware", 400)
    assert math.isnan(aim.reward(0.8, 100, Relative.of({"accuracy": 0.8})))
    assert Relative.of({"relative_step": 1.5, "relative_params": 2}) == Relative(1.5, 2.0)
    # The others do not look at it.
    assert Objective("soft", 400).reward(0.8, 400, Relative(9, 9)) == 0.8


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
    accuracy, macs = (np.array(column) for column in zip(*points, strict=True))
    assert pareto_front(accuracy.astype(float), macs).tolist() == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("soft", "accuracy * (FLOPs/T)^-0.07, T = 400M"),
        ("hard", "accuracy, times T/FLOPs above T, T = 400M"),
        # Its finalists are ranked by the soft reward.
        ("pareto", "accuracy up, FLOPs down, T = 400M"),
        ("accuracy", "accuracy"),
        ("training-aware", "accuracy * S^-0.07 * P^-0.05"),
    ],
)
def test_a_target_is_told_where_the_objective_has_one(kind: str, text: str):
    assert Objective(kind, 400_000_000).described == text

"""The reward's numbers, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas import Objective, mnas_reward
from nas.objective import pareto_front


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
        (("sfot", 400), "unknown objective 'sfot': did you mean 'soft'?"),
        (("soft", 0), "the target must be more than 0 multiply-adds, got 0"),
        (("soft", 400, 0.07), r"--weight must be 0 or negative \(MnasNet: -0.07\), got 0.07"),
    ],
)
def test_nonsense_is_refused(settings: tuple[str, int], message: str):
    with pytest.raises(ValueError, match=f"^{message.replace('?', '[?]')}$"):
        Objective(*settings)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, int]]):
    def beats(a: tuple[int, int], b: tuple[int, int]) -> bool:
        return a[0] >= b[0] and a[1] <= b[1] and a != b

    expected = [not any(beats(other, point) for other in points) for point in points]
    accuracy, macs = (np.array(column) for column in zip(*points, strict=True))
    assert pareto_front(accuracy.astype(float), macs).tolist() == expected

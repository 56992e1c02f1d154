"""What the figures of a search draw: which points, lines and labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nas.objectives.registry import make_objective
from nas.objectives.rewards import Aim
from reports.search import figures
from reports.search.expected_best import RandomSearch
from reports.search.importance import Importance
from search_spaces.metrics.registry import METRICS

T = 1_000_000
TRIALS = pd.DataFrame(
    {
        "trial": [1, 2, 3], "spent": [60.0, 90.0, 240.0], "reward": [0.5, 0.2, 0.6], "best": [0.5, 0.5, 0.6],
        "accuracy": [0.5, 0.2, 0.6], "macs": [T, T, T], "key": ["a", "b", "c"], "complete": [True, False, True],
        "proposed_by": ["uniform", "uniform", "tpe"],
    }
)  # fmt: skip


def axes(number: int = 1) -> list[Axes]:
    return list(np.ravel(Figure().subplots(1, number, squeeze=False)))


def points(ax: Axes) -> set[tuple[float, float]]:
    return {tuple(np.round(point, 6).tolist()) for marks in ax.collections for point in marks.get_offsets()}


def line(ax: Axes, label: str) -> np.ndarray:
    return np.asarray(next(line for line in ax.lines if line.get_label() == label).get_xydata())


def against(trials: pd.DataFrame, objective: str, winner: str, ax: Axes, metric: str = "macs") -> None:
    aim = Aim(T, metric)
    figures.accuracy_against(trials, make_objective(objective, aim), aim, METRICS[metric], winner, ax)


def names(ax: Axes) -> Sequence[str]:
    figure = ax.get_figure()
    assert figure is not None
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_progress_has_every_trial_and_the_best_so_far_on_both_axes():
    left, right = axes(2)
    figures.progress(TRIALS, [left, right])
    assert points(left) == {(1, 0.5), (2, 0.2), (3, 0.6)}
    assert points(right) == {(1, 0.5), (1.5, 0.2), (4, 0.6)}
    assert right.get_xlabel() == "worker time so far (minutes)"
    assert line(left, "best so far").tolist() == [[1, 0.5], [2, 0.5], [3, 0.6]]
    assert {"drawn uniformly", "proposed by TPE", "hollow: not trained to the end", "best so far"} == set(names(left))


def test_a_training_aware_reward_has_no_lines_over_flops():
    (ax,) = axes()
    against(TRIALS, "training-aware", "c", ax)
    assert "equal reward" not in {text.get_label() for text in ax.lines}


@pytest.mark.parametrize(
    ("metric", "unit", "label"),
    [("params", 1e6, "parameters"), ("inference_memory", 2**20, "(MiB)"), ("step_time", 1.0, "(s)")],
)
def test_any_metric_takes_the_place_of_multiply_adds(metric: str, unit: float, label: str):
    (ax,) = axes()
    trials = TRIALS.assign(**{metric: [3 * T, T, 2 * T]}).drop(columns="macs")
    against(trials, "soft", "c", ax, metric)
    assert label in ax.get_xlabel()
    assert points(ax) >= {(round(3 * T / unit, 6), 50.0), (round(2 * T / unit, 6), 60.0)}


def test_a_stopped_trial_is_hollow():
    (ax,) = axes()
    against(TRIALS, "soft", "c", ax)
    hollow = [marks for marks in ax.collections if len(marks.get_offsets()) and not len(marks.get_facecolor())]
    assert [marks.get_offsets().tolist() for marks in hollow] == [[[1.0, 20.0]]]


def test_the_front_and_the_winner_stand_out_among_complete_trials():
    (ax,) = axes()
    trials = TRIALS.assign(macs=[T, T, 2 * T], accuracy=[0.5, 0.9, 0.6])
    against(trials, "soft", "c", ax)
    assert line(ax, "Pareto front").tolist() == [[1, 50], [2, 60]]
    assert line(ax, "the winner").tolist() == [[2, 60]]
    (bare,) = axes()
    against(trials, "soft", "nobody", bare)
    assert "the winner" not in names(bare)


def test_along_a_line_of_equal_reward_the_reward_is_equal():
    (ax,) = axes()
    aim = make_objective("soft", Aim(T))
    against(TRIALS.assign(macs=[T // 2, T, 2 * T]), "soft", "c", ax)
    lines = [line.get_xydata() for line in ax.lines if line.get_linestyle() == "--" and len(line.get_xdata()) > 2]
    assert len(lines) == figures.EQUAL_REWARDS
    for places in lines:
        rewards = [aim.reward(accuracy / 100, {"macs": round(macs * 1e6)}) for macs, accuracy in np.asarray(places)]
        np.testing.assert_allclose(rewards, rewards[0], rtol=1e-6)


def test_names_with_dollar_signs_are_no_formulas():
    left, right = axes(2)
    figures.best_so_far({"a $x$": TRIALS, "b": TRIALS.head(0)}, [left, right])
    assert names(left) == [r"a \$x\$", "b"]
    assert left.lines[0].get_linestyle() != left.lines[1].get_linestyle()


def test_random_search_beside_the_search():
    (ax,) = axes()
    random = RandomSearch(np.array([1, 2]), np.array([0.4, 0.5]), np.array([0.3, 0.4]), np.array([0.5, 0.6]))
    figures.expected_best(random, TRIALS, ax)
    assert line(ax, "expected best of n random trials").tolist() == [[1, 0.4], [2, 0.5]]
    assert line(ax, "this search, best so far")[-1].tolist() == [3, 0.6]


@pytest.mark.parametrize(("seconds", "unit"), [(90, "seconds"), (120, "minutes"), (7200, "hours"), (0, "seconds")])
def test_times_are_told_in_a_fitting_unit(seconds: float, unit: str):
    assert figures.time_unit(seconds)[1] == unit


def test_layer_costs_are_shares_of_the_network():
    rows = [
        {"stage": "stem", "operator": "Conv k3", "macs": 30, "params": 1, "activations": 1},
        {"stage": "1.1", "operator": "MBConv6 k3", "macs": 10, "params": 3, "activations": 1},
    ]
    panels = axes(3)
    figures.layer_costs(rows, panels)
    assert [bar.get_width() for bar in panels[0].patches] == [75, 25]  # type: ignore[attr-defined]
    assert [bar.get_width() for bar in panels[1].patches] == [25, 75]  # type: ignore[attr-defined]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["stem  Conv k3", "1.1  MBConv6 k3"]


def test_the_sweep_shows_cost_and_accuracy_of_the_pick():
    left, right = axes(2)
    sweep = pd.DataFrame({"weight": [0.0, -0.5], "cost": [2 * T, T], "accuracy": [0.6, 0.5]})
    figures.weight_sweep(sweep, METRICS["macs"], -0.07, [left, right])
    assert left.lines[0].get_ydata().tolist() == [2, 1]  # type: ignore[union-attr]
    assert right.lines[0].get_ydata().tolist() == [60, 50]  # type: ignore[union-attr]
    assert left.get_xlim() == (0, -0.5)


def test_importances_have_intervals_and_the_reach_of_chance():
    (ax,) = axes()
    names = tuple(f"stage{i}.op" for i in range(20))
    value = np.linspace(1, 0.1, 20)
    figures.importances(Importance(names, value, value - 0.05, value + 0.05, 0.3, 50), ax)
    assert len(ax.get_yticks()) == figures.MAX_CHOICES
    assert len(ax.collections[0].get_paths()) == figures.MAX_CHOICES
    assert 0.3 in {float(line.get_xdata()[0]) for line in ax.lines}  # type: ignore[index]

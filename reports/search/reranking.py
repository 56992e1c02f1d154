"""The same trials under other objectives: would another one have picked another network?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nas.objectives.form import VALUE_OF_ZERO, Objective
from nas.objectives.registry import make_objective
from nas.objectives.rewards import Aim
from reports.search.data import in_units, rewards

WEIGHTS = (-0.035, -0.07, -0.14, -0.28)
# How far the sweep over w goes: at -0.5 half the cost is worth 41 % of the accuracy.
STEEPEST = -0.5
STEPS = 501


@dataclass(frozen=True)
class Pick:
    """The network an objective picks among the trials, and where the search's winner stands under it.

    own         whether it is the search's own objective
    rank, of    the winner's place among all networks; None where the winner is not among them
    """

    objective: Objective
    own: bool
    key: str
    metrics: dict[str, float]
    accuracy: float
    rank: int | None
    of: int


def picks(complete: pd.DataFrame, objective: Objective, aim: Aim, winner: str, metrics: Sequence[str]) -> list[Pick]:
    """What each of several objectives picks, with some metrics; none where no network was trained to the end."""
    if complete.empty:
        return []
    return [_pick(complete, other, objective, winner, metrics) for other in _objectives(objective, aim)]


def _objectives(objective: Objective, aim: Aim) -> Sequence[Objective]:
    others = [make_objective("hard", aim), make_objective("accuracy", aim)]
    others += [make_objective("soft", replace(aim, weight=weight)) for weight in WEIGHTS]
    return [objective, *(other for other in others if str(other) != str(objective))]


def _pick(complete: pd.DataFrame, other: Objective, objective: Objective, winner: str, metrics: Sequence[str]) -> Pick:
    found = np.array(rewards(complete, other))
    first = complete.iloc[int(found.argmax())]
    place = np.flatnonzero((complete["key"] == winner).to_numpy())
    rank = 1 + int((found > found[place[0]]).sum()) if len(place) else None
    return Pick(
        other,
        other == objective,
        str(first["key"]),
        {name: in_units(first[name]) for name in metrics},
        float(first["accuracy"]),
        rank,
        len(complete),
    )


def sweep(complete: pd.DataFrame, aim: Aim) -> pd.DataFrame:
    """For each weight w from 0 to STEEPEST the network with the highest soft reward: weight, key, cost, accuracy.

    The cost is the metric of the target.
    """
    weights = np.linspace(0, STEEPEST, STEPS)
    accuracy, cost = (complete[name].to_numpy(dtype=np.float64) for name in ("accuracy", aim.metric))
    with np.errstate(divide="ignore"):
        # The reward's logarithm is a line in w for every network: the picks are the lines' upper edge.
        ratio = np.where(cost == 0, VALUE_OF_ZERO, cost) / aim.target
        first = (np.log(accuracy) + weights[:, None] * np.log(ratio)).argmax(1)
    keys = complete["key"].to_numpy()[first]
    return pd.DataFrame({"weight": weights, "key": keys, "cost": cost[first], "accuracy": accuracy[first]})

"""The objectives of a search by name, a row each; a user's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from nas.objectives.form import Objective
from nas.objectives.rewards import Aim
from search_spaces.common.registry import Registry, Row
from search_spaces.common.user_code import called
from search_spaces.metrics.registry import METRICS


@dataclass(frozen=True, kw_only=True)
class ObjectiveRow(Row):
    """An objective's row.

    code      a function of an `Aim` that returns an `Objective`; with `is_reward` a function (quality, metrics) that
              returns the reward, for a quality from 0 to 1 and a dict of metrics in raw units, by name
    uses      settings that it looks at, of those that not every objective does
    targeted  whether its formula has the target T; for the others the target only places the cost band
    """

    uses: tuple[str, ...] = ()
    targeted: bool = False
    is_reward: bool = False

    def make(self, aim: Aim) -> Objective:
        """The objective for an aim. Raises ValueError for a weight above 0, an unknown axis, and as its code does."""
        for name, weight in {"weight": aim.weight, "params_weight": aim.params_weight}.items():
            if not (math.isfinite(weight) and weight <= 0):
                raise ValueError(f"{name} must be a number of at most 0, got {weight}")
        if not aim.target > 0:
            raise ValueError(f"the target must be greater than 0, got {aim.target:g}")
        for axis in aim.axes:
            METRICS.row(axis)
        if self.is_reward:
            return Objective(self.name, self.label, own=self.code)
        made = called(f"objective {self.name}", self.load(), aim) if self.is_own else self.load()(aim)
        if not isinstance(made, Objective):
            raise ValueError(f"objective {self.name} {CONTRACT}, got {type(made).__name__}")
        return made


CONTRACT = (
    "must be a function (quality, metrics) that returns a number, or an ObjectiveRow (nas.objectives.registry) whose "
    "code returns an Objective"
)


def adopt(name: str, found: Any) -> ObjectiveRow:
    if not callable(found):
        raise ValueError(f"{CONTRACT}, got {type(found).__name__}")
    return ObjectiveRow(name=name, code=name, label=name, source="your own", is_reward=True)


OBJECTIVES = Registry(
    "objective",
    [
        ObjectiveRow(
            name="soft",
            code="nas.objectives.rewards:soft",
            label="MnasNet's reward, accuracy * (cost/T)^w",
            source="MnasNet, arXiv 1807.11626, section 3",
            uses=("weight",),
            targeted=True,
        ),
        ObjectiveRow(
            name="hard",
            code="nas.objectives.rewards:hard",
            label="accuracy up to T, accuracy * T/cost above",
            source="MnasNet, arXiv 1807.11626, section 3",
            targeted=True,
        ),
        ObjectiveRow(
            name="accuracy",
            code="nas.objectives.rewards:accuracy",
            label="accuracy inside the cost band",
            source="ours",
        ),
        ObjectiveRow(
            name="pareto",
            code="nas.objectives.rewards:pareto",
            label="accuracy up, cost or other metrics down",
            source="ours",
            uses=("weight", "axes"),
            targeted=True,
        ),
        ObjectiveRow(
            name="training-aware",
            code="nas.objectives.rewards:training_aware",
            label="EfficientNetV2's accuracy * S^w * P^v, with training-step time S and parameters P over those of the "
            "network that the space varies",
            source="EfficientNetV2, arXiv 2104.00298, section 3.2",
            uses=("weight", "params_weight", "step_times", "step_batch"),
        ),
    ],
    adopt,
)


def make_objective(name: str, aim: Aim) -> Objective:
    """The objective of that name, or of a user's module:name, for an aim. Raises ValueError, in one line."""
    return OBJECTIVES.row(name).make(aim)


def users_of(setting: str) -> list[str]:
    """The objectives that look at a setting which not every objective does."""
    return [row.name for row in OBJECTIVES.values() if setting in row.uses]


USED_BY_SOME = tuple(dict.fromkeys(setting for row in OBJECTIVES.values() for setting in row.uses))

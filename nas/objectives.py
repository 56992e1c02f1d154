"""What a search maximises: the MnasNet reward and its relatives, from an accuracy and a cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.common.suggest import nearest
from search_spaces.common.units import format_count
from studies.timing.step_time import PARAMS, STEP

TRAINING_AWARE = "training-aware"
OBJECTIVES = ("soft", "hard", "accuracy", "pareto", TRAINING_AWARE)
WEIGHT = -0.07
HARD_WEIGHT = -1.0
# V2, Section 3.2.
PARAMS_WEIGHT = -0.05
# Settings of a search that only some objectives use; pareto ranks its finalists by the soft reward.
USED_BY = {
    "weight": ("soft", "pareto", TRAINING_AWARE),
    **dict.fromkeys(("params_weight", "step_times", "step_batch"), (TRAINING_AWARE,)),
}
# The objectives whose formula has the target; for the others the target only places the cost band.
TARGETED = ("soft", "hard", "pareto")


def mnas_reward(
    accuracy: float, macs: float, target: float, weight: float = WEIGHT, weight_above: float | None = None
) -> float:
    """ACC * (macs / target)^w (MnasNet, section 3; EfficientNet, section 4, with multiply-adds in place of latency).

    `weight` is w at or below the target, `weight_above` beyond it (default: the same). MnasNet's soft constraint
    is -0.07 on both sides (doubling the cost should buy 5 % relative accuracy), its hard one 0 below and -1 above.
    """
    exponent = weight if macs <= target or weight_above is None else weight_above
    return float(accuracy * (macs / target) ** exponent)


def training_aware_reward(
    accuracy: float, step: float, params: float, weight: float = WEIGHT, params_weight: float = PARAMS_WEIGHT
) -> float:
    """A * S^w * P^v (EfficientNetV2, section 3.2): S the training-step time, P the parameters, of the full network.

    Both are over a baseline's, which the paper does for S alone: a common factor of all rewards changes no ranking.
    """
    return float(accuracy * step**weight * params**params_weight)


@dataclass(frozen=True)
class Relative:
    """A full network's training-step time and parameters over the baseline's, as the ledger's rungs hold them."""

    step: float
    params: float

    @classmethod
    def of(cls, rung: Mapping[str, Any]) -> Relative | None:
        """The values of a rung; None without a step time."""
        step, params = rung.get(STEP), rung.get(PARAMS)
        return None if step is None or params is None else cls(float(step), float(params))


@dataclass(frozen=True)
class Objective:
    """The numbers a search maximises.

    kind           soft (MnasNet reward, weight on both sides of the target), hard (accuracy up to the target, accuracy
                   times target / macs beyond it), accuracy (the cost band alone keeps the size), pareto (two numbers:
                   accuracy up, macs down) or training-aware (EfficientNetV2's reward; the band alone keeps the size)
    target         multiply-adds of the full network, T
    weight         w of the soft reward, and of the step time
    params_weight  v of the parameters, of the training-aware reward alone
    """

    kind: str
    target: int
    weight: float = WEIGHT
    params_weight: float = PARAMS_WEIGHT

    def __post_init__(self) -> None:
        if self.kind not in OBJECTIVES:
            raise ValueError(f"unknown objective '{self.kind}'{nearest(self.kind, OBJECTIVES)}")
        if not (math.isfinite(self.weight) and self.weight <= 0):
            raise ValueError(f"--weight must be 0 or negative (MnasNet: -0.07), got {self.weight}")
        if not (math.isfinite(self.params_weight) and self.params_weight <= 0):
            raise ValueError(f"--params-weight must be 0 or negative (V2: -0.05), got {self.params_weight}")
        if self.target <= 0:
            raise ValueError(f"the target must be more than 0 multiply-adds, got {self.target}")

    @property
    def directions(self) -> tuple[str, ...]:
        """Optuna's direction of each number."""
        return ("maximize", "minimize") if self.kind == "pareto" else ("maximize",)

    @property
    def needs_step_times(self) -> bool:
        """Whether trials must hold the training-step time of their networks."""
        return self.kind == TRAINING_AWARE

    def values(self, accuracy: float, macs: int, relative: Relative | None = None) -> tuple[float, ...]:
        """The number(s) for a network of `macs` multiply-adds with `accuracy` (0 to 1); see `reward`."""
        if self.kind == "pareto":
            return accuracy, float(macs)
        return (self.reward(accuracy, macs, relative),)

    def reward(self, accuracy: float, macs: int, relative: Relative | None = None) -> float:
        """One number to rank by. A Pareto search ranks its finalists by the soft reward, and says so.

        `relative` is for the training-aware reward, which without it is not a number.
        """
        if self.needs_step_times:
            if relative is None:
                return math.nan
            return training_aware_reward(accuracy, relative.step, relative.params, self.weight, self.params_weight)
        if self.kind == "accuracy":
            return accuracy
        if self.kind == "hard":
            return mnas_reward(accuracy, macs, self.target, 0.0, HARD_WEIGHT)
        return mnas_reward(accuracy, macs, self.target, self.weight)

    @property
    def described(self) -> str:
        """The formula and, if it has T, the value of T."""
        return f"{self}, T = {format_count(self.target)}" if self.kind in TARGETED else str(self)

    def __str__(self) -> str:
        texts = {
            "soft": f"accuracy * (FLOPs/T)^{self.weight:g}",
            "hard": "accuracy, times T/FLOPs above T",
            "accuracy": "accuracy",
            "pareto": "accuracy up, FLOPs down",
            TRAINING_AWARE: f"accuracy * S^{self.weight:g} * P^{self.params_weight:g}",
        }
        return texts[self.kind]


def pareto_front(accuracy: NDArray[np.float64], macs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[n] which networks are on the Pareto front: no other is as accurate, as cheap, and better in one of the two."""
    front = np.zeros(len(macs), dtype=bool)
    best, cost_of_best = -np.inf, -1
    for index in np.lexsort((-accuracy, macs)):
        # An equal twin of the last front member (same accuracy, same cost) belongs to the front as well.
        if accuracy[index] > best or (accuracy[index] == best and macs[index] == cost_of_best):
            front[index] = True
            best, cost_of_best = accuracy[index], macs[index]
    return front

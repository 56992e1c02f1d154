"""What a search maximises: the MnasNet reward and its relatives, from an accuracy and a cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_spaces.naming import nearest

OBJECTIVES = ("soft", "hard", "accuracy", "pareto")
WEIGHT = -0.07
HARD_WEIGHT = -1.0


def mnas_reward(
    accuracy: float, macs: float, target: float, weight: float = WEIGHT, weight_above: float | None = None
) -> float:
    """ACC * (macs / target)^w (MnasNet, section 3; EfficientNet, section 4, with multiply-adds in place of latency).

    `weight` is w at or below the target, `weight_above` beyond it (the same unless given). MnasNet's soft constraint
    is -0.07 on both sides (doubling the cost should buy 5 % relative accuracy), its hard one 0 below and -1 above.
    """
    exponent = weight if macs <= target or weight_above is None else weight_above
    return float(accuracy * (macs / target) ** exponent)


@dataclass(frozen=True)
class Objective:
    """The numbers a search maximises.

    kind     soft (MnasNet reward, weight on both sides of the target), hard (accuracy up to the target, accuracy
             times target / macs beyond it), accuracy (the cost band alone keeps the size), or pareto (two numbers:
             accuracy up, macs down)
    target   multiply-adds of the full network, T
    weight   w of the soft reward
    """

    kind: str
    target: int
    weight: float = WEIGHT

    def __post_init__(self) -> None:
        if self.kind not in OBJECTIVES:
            raise ValueError(f"unknown objective '{self.kind}'{nearest(self.kind, OBJECTIVES)}")
        if not (math.isfinite(self.weight) and self.weight <= 0):
            raise ValueError(f"--weight must be 0 or negative (MnasNet: -0.07), got {self.weight}")
        if self.target <= 0:
            raise ValueError(f"the target must be more than 0 multiply-adds, got {self.target}")

    @property
    def directions(self) -> tuple[str, ...]:
        """Optuna's direction of each number."""
        return ("maximize", "minimize") if self.kind == "pareto" else ("maximize",)

    def values(self, accuracy: float, macs: int) -> tuple[float, ...]:
        """The number(s) for a network of `macs` multiply-adds with `accuracy` (0 to 1)."""
        if self.kind == "pareto":
            return accuracy, float(macs)
        return (self.reward(accuracy, macs),)

    def reward(self, accuracy: float, macs: int) -> float:
        """One number to rank by. A Pareto search ranks its finalists by the soft reward, and says so."""
        if self.kind == "accuracy":
            return accuracy
        if self.kind == "hard":
            return mnas_reward(accuracy, macs, self.target, 0.0, HARD_WEIGHT)
        return mnas_reward(accuracy, macs, self.target, self.weight)

    def __str__(self) -> str:
        texts = {
            "soft": f"accuracy * (FLOPs/T)^{self.weight:g}",
            "hard": "accuracy, times T/FLOPs above T",
            "accuracy": "accuracy",
            "pareto": "accuracy up, FLOPs down",
        }
        return texts[self.kind]


def pareto_front(accuracy: NDArray[np.float64], macs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which networks no other one beats: at least as accurate, at most as costly, and better in one of the two."""
    front = np.zeros(len(macs), dtype=bool)
    best, cost_of_best = -np.inf, -1
    for index in np.lexsort((-accuracy, macs)):
        # An equal twin of the last front member (same accuracy, same cost) belongs to the front as well.
        if accuracy[index] > best or (accuracy[index] == best and macs[index] == cost_of_best):
            front[index] = True
            best, cost_of_best = accuracy[index], macs[index]
    return front

"""The one form of all objectives: a quality times factors of metrics, or beside metrics on axes of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from search_spaces.common.lazy import resolve
from search_spaces.common.user_code import called
from search_spaces.metrics.registry import METRICS

# A value of 0, such as of a metric that counts layers, has no negative power: it counts as 1 unit.
VALUE_OF_ZERO = 1.0
RELATIVE = "relative_"  # begins the name of a value over that of the network that the space varies


@dataclass(frozen=True)
class Term:
    """The factor (value / base)^weight of a metric.

    metric        its name
    base          in raw units; None is the value of the network that the space varies, with which each trial compares
                  its own (`relative`)
    weight        w at or below the base; above it too, if there is no `weight_above`
    weight_above  w above the base
    """

    metric: str
    base: float | None
    weight: float
    weight_above: float | None = None

    def factor(self, metrics: Mapping[str, float]) -> float:
        """The factor for the values of metrics; not a number if the value is missing."""
        if self.base is None:
            ratio = metrics.get(relative(self.metric), math.nan)
        else:
            ratio = (metrics.get(self.metric, math.nan) or VALUE_OF_ZERO) / self.base
        if math.isnan(ratio):
            return math.nan
        exponent = self.weight if ratio <= 1 or self.weight_above is None else self.weight_above
        return float(ratio**exponent)

    @property
    def is_known(self) -> bool:
        """Whether the factor is known before a network is trained."""
        return self.base is not None and not METRICS.row(self.metric).is_measured


@dataclass(frozen=True)
class Objective:
    """The numbers that a search maximises.

    name     of its row
    formula  as text
    terms    factors of the quality in the reward
    axes     metrics that are minimised beside the quality, each on its own (Pareto); the reward then only ranks
             finalists
    own      "module:name" of a user's function of quality and metrics that returns the reward, in place of terms
    """

    name: str
    formula: str
    terms: tuple[Term, ...] = ()
    axes: tuple[str, ...] = ()
    own: str = ""

    @property
    def directions(self) -> tuple[str, ...]:
        """Optuna's direction of each number."""
        return ("maximize", *("minimize" for _ in self.axes))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it looks at; a user's function may look at any."""
        return tuple(dict.fromkeys([*self.axes, *(term.metric for term in self.terms)]))

    @property
    def needs_step_times(self) -> bool:
        """Whether trials must hold the training-step time of their networks."""
        return "step_time" in self.metrics

    @property
    def is_product(self) -> bool:
        """Whether the reward is the quality times a factor that is known before a network is trained."""
        return bool(self.terms) and not self.axes and all(term.is_known for term in self.terms)

    def values(self, quality: float, metrics: Mapping[str, float]) -> tuple[float, ...]:
        """The number(s) for a quality (0 to 1) and metrics in raw units, by name; see `reward`."""
        if self.axes:
            return (quality, *(float(metrics.get(axis, math.nan)) for axis in self.axes))
        return (self.reward(quality, metrics),)

    def reward(self, quality: float, metrics: Mapping[str, float]) -> float:
        """One number to rank by; not a number if a metric of a term is missing.

        Raises ValueError if a user's function fails or returns no number.
        """
        if self.own:
            return self._own_reward(quality, metrics)
        reward = quality
        for term in self.terms:
            reward *= term.factor(metrics)
        return reward

    def _own_reward(self, quality: float, metrics: Mapping[str, float]) -> float:
        place = f"objective {self.own}"
        found = called(place, resolve(self.own), quality, dict(metrics))
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise ValueError(f"{place} must return a number, got {found!r}")
        return float(found)

    def __str__(self) -> str:
        return self.formula


def relative(metric: str) -> str:
    """The name of a metric's value over that of the network that the space varies."""
    return f"{RELATIVE}{metric}"

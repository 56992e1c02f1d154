"""The objectives of the papers, as products of an accuracy and factors of metrics."""

from __future__ import annotations

from dataclasses import dataclass

from nas.objectives.form import Objective, Term
from search_spaces.metrics.registry import METRICS

# MnasNet, section 3: doubling the cost should buy 5 % relative accuracy.
WEIGHT = -0.07
HARD_WEIGHT = -1.0
# V2, Section 3.2.
PARAMS_WEIGHT = -0.05


@dataclass(frozen=True)
class Aim:
    """What an objective is made of.

    target         T, the value of `metric` that is aimed at, in raw units
    metric         the metric of target and cost band
    weight         w of the soft reward, and of the step time
    params_weight  v of the parameters, of the training-aware reward alone
    axes           metrics that a Pareto search minimises beside accuracy; empty: the target's
    """

    target: float
    metric: str = "macs"
    weight: float = WEIGHT
    params_weight: float = PARAMS_WEIGHT
    axes: tuple[str, ...] = ()

    @property
    def ratio(self) -> str:
        """The cost over the target in a formula."""
        return f"{METRICS.row(self.metric).label}/T"


def soft(aim: Aim) -> Objective:
    """MnasNet's reward under a soft constraint (section 3): accuracy * (cost/T)^w on both sides of the target."""
    term = Term(aim.metric, aim.target, aim.weight)
    return Objective("soft", f"accuracy * ({aim.ratio})^{aim.weight:g}", (term,))


def hard(aim: Aim) -> Objective:
    """MnasNet's reward under a hard constraint (section 3): accuracy up to T, accuracy * T/cost above."""
    term = Term(aim.metric, aim.target, 0.0, HARD_WEIGHT)
    cost = METRICS.row(aim.metric).label
    return Objective("hard", f"accuracy, times T/{cost} above T", (term,))


def accuracy(_aim: Aim) -> Objective:
    """Accuracy alone: the cost band keeps the size."""
    return Objective("accuracy", "accuracy")


def pareto(aim: Aim) -> Objective:
    """Accuracy up and every axis down. Finalists are ranked by the soft reward."""
    axes = aim.axes or (aim.metric,)
    down = ", ".join(f"{METRICS.row(axis).label} down" for axis in axes)
    return Objective("pareto", f"accuracy up, {down}", soft(aim).terms, axes)


def training_aware(aim: Aim) -> Objective:
    """A * S^w * P^v (EfficientNetV2, section 3.2): S the training-step time, P the parameters, of the full network.

    Both are over those of the network that the space varies, which the paper does for S alone: a common factor of all
    rewards changes no ranking.
    """
    terms = (Term("step_time", None, aim.weight), Term("params", None, aim.params_weight))
    return Objective("training-aware", f"accuracy * S^{aim.weight:g} * P^{aim.params_weight:g}", terms)


def mnas_reward(
    accuracy: float, macs: float, target: float, weight: float = WEIGHT, weight_above: float | None = None
) -> float:
    """ACC * (macs / target)^w (MnasNet, section 3; EfficientNet, section 4, with multiply-adds in place of latency).

    `weight` is w at or below the target, `weight_above` beyond it (default: the same). MnasNet's soft constraint
    is -0.07 on both sides (doubling the cost should buy 5 % relative accuracy), its hard one 0 below and -1 above.
    """
    return float(accuracy * Term("macs", target, weight, weight_above).factor({"macs": macs}))


def training_aware_reward(
    accuracy: float, step: float, params: float, weight: float = WEIGHT, params_weight: float = PARAMS_WEIGHT
) -> float:
    """A * S^w * P^v of a training-step time S and parameters P over a baseline's (see `training_aware`)."""
    return float(accuracy * step**weight * params**params_weight)

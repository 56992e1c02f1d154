"""The target of a search, as its configuration has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.common.units import parse_count
from search_spaces.metrics.limits import parse_value
from search_spaces.metrics.registry import METRICS, Metric


def target_of(config: Mapping[str, Any]) -> tuple[Metric, float]:
    """The metric and the value of the target. Raises ValueError if there is none, or it cannot be read."""
    if config.get("target"):
        return parse_value("target", str(config["target"]))
    return METRICS["macs"], parse_count(str(config.get("target_flops")))


def target_text(config: Mapping[str, Any]) -> str:
    """The target as text, such as "400M FLOPs"; "an unknown cost" if it cannot be read."""
    try:
        metric, value = target_of(config)
    except ValueError:
        return "an unknown cost"
    return metric.describe(value)


def best_value(result: Mapping[str, Any], metric: str) -> float | None:
    """The value of a metric of the network that a search found; None if the result does not have it."""
    best = result.get("best")
    metrics = best.get("metrics") if isinstance(best, dict) else None
    value = metrics.get(metric) if isinstance(metrics, dict) else None
    return float(value) if isinstance(value, int | float) else None

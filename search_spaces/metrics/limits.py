"""Upper limits on metrics, and single values of metrics, from text such as params=5M."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from search_spaces.common.settings import flag_of
from search_spaces.metrics.registry import METRICS, Metric


def parse_value(flag: str, text: str) -> tuple[Metric, float]:
    """The metric and the value of NAME=VALUE, such as params=5M or my_metrics:fives=3.

    Raises ValueError, naming the flag, for another form, an unknown metric, and a value that is not above 0.
    """
    name, equals, value = text.rpartition("=")
    if not equals:
        raise ValueError(f"{flag} must be NAME=VALUE, such as params=5M, got '{text}'")
    try:
        metric = METRICS.row(name.strip())
    except ValueError as error:
        raise ValueError(f"{flag} {text}: {error}") from None
    return metric, _parsed(f"{flag} {text}", metric, value.strip())


def parse_limits(named: Mapping[str, tuple[str, str | None]], others: Sequence[str]) -> dict[str, int]:
    """The highest allowed value of each limited metric, in raw units, by the metric's name.

    Args:
        named: settings of a limit of their own: {setting: (metric, text or None)}, such as
            {"max_params": ("params", "5M")}
        others: the words of --limits, NAME=VALUE each

    Raises ValueError, naming the flag, for text that is no value, a metric limited twice, and one that is not known
    before a network is trained.

    """
    found: dict[str, int] = {}
    flags: dict[str, str] = {}
    for setting, (name, text) in named.items():
        if text is not None:
            metric = METRICS.row(name)
            found[name] = int(_parsed(f"{flag_of(setting)} {text}", metric, text))
            flags[name] = flag_of(setting)
    for text in others:
        metric, value = parse_value("--limits", text)
        if metric.is_measured:
            raise ValueError(
                f"--limits {text}: {metric.name} is measured on a worker, but limits need metrics that are computed"
            )
        if metric.name in found:
            raise ValueError(f"--limits {text}: {metric.name} is limited by {flags[metric.name]} already: remove one")
        found[metric.name], flags[metric.name] = int(value), "--limits"
    return found


def describe_limits(limits: Mapping[str, int]) -> str:
    """The limits as text, such as "at most 5M parameters, at most 64MiB of inference memory"."""
    return ", ".join(f"at most {METRICS.row(name).describe(value)}" for name, value in limits.items())


def limits_as_text(limits: Mapping[str, int], named: Mapping[str, str]) -> dict[str, Any]:
    """The settings that give these limits, which have the same text however they were written.

    `named` are the metrics that have settings of their own: {"max_params": "params"}. The others are in "limits".
    """
    texts = {name: METRICS.row(name).format(value) for name, value in limits.items()}
    own = {setting: texts.pop(name, None) for setting, name in named.items()}
    return {**own, "limits": [f"{name}={text}" for name, text in texts.items()]}


def limit_flag(metric: str, named: Mapping[str, str]) -> str:
    """What sets a metric's limit on the command line: --max-params, or --limits activations=VALUE."""
    return next((flag_of(setting) for setting, name in named.items() if name == metric), f"--limits {metric}=VALUE")


def _parsed(place: str, metric: Metric, text: str) -> float:
    try:
        value = metric.parse(text)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    if value <= 0:
        raise ValueError(f"{place}: must be greater than 0")
    return value

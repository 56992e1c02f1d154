"""Limits and values of metrics as users write them."""

from __future__ import annotations

import pytest

from search_spaces.metrics.limits import describe_limits, limit_flag, limits_as_text, parse_limits, parse_value
from search_spaces.metrics.registry import METRICS

NAMED = {"max_params": ("params", "5M"), "max_memory": ("inference_memory", None)}


def test_limits_of_flags_and_of_the_list_are_joined() -> None:
    limits = parse_limits(NAMED, ["inference_memory=64MiB", "activations=1.5M"])
    assert limits == {"params": 5_000_000, "inference_memory": 64 << 20, "activations": 1_500_000}
    assert describe_limits({"params": 5_000_000}) == "at most 5M parameters"
    assert parse_limits({}, []) == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("params=6M", "--max-params"),
        ("parms=6M", "params"),
        ("params", "NAME=VALUE"),
        ("activations=-3", "activations=-3"),
        ("activations=0", "activations=0"),
        ("inference_memory=64G", "inference_memory=64G"),
        ("step_time=1s", "step_time"),
        ("not_there:fives=3", "not_there"),
        ("=3", "=3"),
    ],
)
def test_what_is_no_limit_is_refused(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_limits(NAMED, [text])


def test_a_limit_of_a_flag_names_the_flag() -> None:
    with pytest.raises(ValueError, match="--max-params"):
        parse_limits({"max_params": ("params", "many")}, [])


@pytest.mark.parametrize(
    ("text", "value"), [("macs=400M", 400e6), ("training_memory=2GiB", 2 << 30), ("step_time=1.5s", 1.5)]
)
def test_a_value_is_read_in_the_metrics_unit_and_written_again(text: str, value: float) -> None:
    metric, found = parse_value("--target", text)
    assert (metric, found) == (METRICS[text.partition("=")[0]], value)
    assert metric.parse(metric.format(found)) == found


@pytest.mark.parametrize(
    ("given", "others"), [("5M", ["macs=400M"]), ("5000K", ["macs=0.4G"]), (None, ["macs=400M", "params=5M"])]
)
def test_a_limit_has_one_text_however_it_was_written(given: str | None, others: list[str]) -> None:
    limits = parse_limits({"max_params": ("params", given)}, others)
    named = {"max_params": "params", "max_memory": "inference_memory"}
    assert limits_as_text(limits, named) == {"max_params": "5M", "max_memory": None, "limits": ["macs=400M"]}


def test_each_limit_names_its_flag() -> None:
    named = {"max_params": "params"}
    assert limit_flag("params", named) == "--max-params"
    assert limit_flag("my_metrics:fives", named) == "--limits my_metrics:fives=VALUE"

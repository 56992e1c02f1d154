"""Names, flags and defaults of settings, and nested values by their dotted names."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field

import pytest

from search_spaces.common.checks import check_minimum
from search_spaces.common.settings import flag_of, flat, setting, settings_of, value_at, without


@dataclass(frozen=True)
class Step:
    size: int = 1
    count: int = setting(2, flag="steps")


@dataclass(frozen=True)
class Plan:
    step: Step = field(default_factory=lambda: Step(size=5))
    name: str = setting("a", registry="somewhere:ROWS")


@dataclass(frozen=True)
class Config:
    least_size: int
    plan: Plan = flat(Plan)
    other: Step = field(default_factory=lambda: Step(count=3))


@dataclass(frozen=True)
class Plain:
    least_size: int = 0
    plan: Plan = flat(Plan)


def test_settings_have_dotted_names_flags_and_defaults():
    known = settings_of(Plain)
    assert [(one.name, one.flag, one.default, one.group) for one in known.values()] == [
        ("least_size", "--least-size", 0, ""),
        ("plan.step.size", "--step.size", 5, "plan.step"),
        ("plan.step.count", "--steps", 2, "plan.step"),
        ("plan.name", "--name", "a", "plan"),
    ]
    assert [known[name].owner for name in ("least_size", "plan.name", "plan.step.size")] == [Plain, Plan, Step]
    assert (known["plan.name"].registry, known["plan.step.count"].registry) == ("somewhere:ROWS", "")
    assert (known["plan.name"].kind, known["plan.step.count"].kind) == (str, int)


def test_no_two_settings_have_the_same_flag():
    with pytest.raises(AssertionError, match="Config"):
        settings_of(Config)


def test_a_setting_without_a_default_has_none():
    @dataclass(frozen=True)
    class Needed:
        size: int

    assert settings_of(Needed)["size"].default is MISSING


def test_a_flag_is_that_of_a_name_or_itself():
    assert flag_of("cost_band") == flag_of("--cost-band") == "--cost-band"
    assert flag_of("proxy.min_map") == "--proxy.min-map"


def test_checks_name_the_flag_of_a_nested_setting():
    check_minimum(Plain(), {"plan.step.count": 2, "plan.step.size": 5, "least_size": 0})
    for name, flag in (
        ("plan.step.count", "--steps"),
        ("plan.step.size", "--step.size"),
        ("least_size", "--least-size"),
    ):
        with pytest.raises(ValueError, match=f"^{flag} must be at least 9"):
            check_minimum(Plain(), {name: 9})


VALUES = {"a": 1, "b": {"c": None, "d": {"e": 2, "f": []}}, "g": {}}


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", 1), ("b.d.e", 2), ("b.d.f", []), ("b.c", None), ("b.x", None), ("a.b", None), ("x.y", None)],
)
def test_values_by_their_dotted_names(name: str, value: object):
    assert value_at(VALUES, name) == value


def test_what_is_no_mapping_has_no_values():
    assert value_at(None, "a") is None
    assert value_at([1], "a.b") is None


@pytest.mark.parametrize(
    ("names", "rest"),
    [
        ((), VALUES),
        (("a", "b.d.e", "g.x"), {"b": {"c": None, "d": {"f": []}}, "g": {}}),
        (("b.d",), {"a": 1, "b": {"c": None}, "g": {}}),
        (("b", "g", "e", "d.e"), {"a": 1}),
    ],
)
def test_settings_and_groups_are_left_out(names: tuple[str, ...], rest: object):
    assert without(VALUES, names) == rest
    assert VALUES["b"] == {"c": None, "d": {"e": 2, "f": []}}

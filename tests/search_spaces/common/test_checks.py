"""What configurations check of their flags' values: the message names the flag as it is typed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from search_spaces.common.checks import as_flags, check_different, check_minimum, flag_of, parsed
from search_spaces.common.units import parse_count, parse_duration


@dataclass(frozen=True)
class Config:
    finalist_seeds: int = 1
    patience: int | None = None


def test_a_flag_has_dashes() -> None:
    assert flag_of("finalist_seeds") == "--finalist-seeds"


def test_a_bound_itself_and_what_is_not_given_are_enough() -> None:
    check_minimum(Config(), {"finalist_seeds": 1, "patience": 5})


def test_a_smaller_value_is_named_with_its_bound() -> None:
    with pytest.raises(ValueError, match=r"^--finalist-seeds .*2.*1$"):
        check_minimum(Config(), {"finalist_seeds": 2})


def test_a_value_that_is_given_twice_is_named() -> None:
    check_different("finalist_seeds", (1, 2))
    with pytest.raises(ValueError, match=r"^--finalist-seeds .*1 2 1$"):
        check_different("finalist_seeds", (1, 2, 1))


def test_human_units_are_parsed_and_mistakes_name_the_flag() -> None:
    assert parsed("target_flops", parse_count, "400M") == 400_000_000
    assert parsed("time_budget", parse_duration, 90) == 90
    with pytest.raises(ValueError, match=r"^--target-flops: .*'much'"):
        parsed("target_flops", parse_count, "much")


def test_a_value_that_knows_no_flag_is_named_by_it() -> None:
    settings = {"min_map": "proxy.min_map"}
    with pytest.raises(ValueError, match=r"^--proxy\.min-map must be at least 1, got 0$"), as_flags(settings):
        raise ValueError("min_map must be at least 1, got 0")
    for text in ("width must differ", "", "--min-map must differ"):
        with pytest.raises(ValueError, match=f"^{text}$"), as_flags(settings):
            raise ValueError(text)

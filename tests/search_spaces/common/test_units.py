"""Units: exact there and back, rounded for display, and one line for nonsense."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search_spaces.common.units import (
    format_bytes,
    format_count,
    format_duration,
    parse_bytes,
    parse_count,
    parse_duration,
)

WHOLE = (
    st.integers(0, 10**30)
    | st.integers(0, 10**7)
    | st.builds(lambda a, b: a << b, st.integers(0, 999), st.integers(0, 50))
)


@given(WHOLE)
def test_counts_are_exactly_reversible(value: int) -> None:
    assert parse_count(format_count(value)) == value


@given(WHOLE)
def test_bytes_are_exactly_reversible(value: int) -> None:
    assert parse_bytes(format_bytes(value)) == value


@given(st.floats(0, allow_nan=False, allow_infinity=False) | st.integers(0, 10**9).map(float))
@example(sys.float_info.max)
@example(5e-324)
@example(86399.99999999999)
def test_durations_are_exactly_reversible(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(1, 10**16), st.integers(1, 8))
def test_rounded_counts_keep_their_significant_digits(value: int, digits: int) -> None:
    error = abs(parse_count(format_count(value, digits)) - value)
    assert error <= 0.5 * 10 ** (len(str(value)) - digits)


@given(st.integers(1, 10**15), st.integers(1, 8))
def test_rounded_bytes_are_near(value: int, digits: int) -> None:
    text = format_bytes(value, digits)
    number, unit = float(text.rstrip("BiKMGT")), text.lstrip("0123456789.")
    assert number * parse_bytes(f"1{unit}") == pytest.approx(value, rel=10 ** (1 - digits))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("312", 312),
        ("400M", 400_000_000),
        ("1.5G", 1_500_000_000),
        ("0.39B", 390_000_000),
        ("2k", 2000),
        ("1e9", 10**9),
        (" 31.2 M ", 31_200_000),
        ("0", 0),
        ("1.000001T", 1_000_001_000_000),
    ],
)
def test_counts(text: str, value: int) -> None:
    assert parse_count(text) == value


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (312, None, "312"),
        (400_000_000, None, "400M"),
        (385_814_752, None, "385.814752M"),
        (385_814_752, 4, "385.8M"),
        (31_249_000, 3, "31.2M"),
        (1_080_000_000, 3, "1.08G"),
        (999_960_000, 4, "1G"),
        (400_000_000, 4, "400M"),
        (0, 3, "0"),
        (np.int64(1500), None, "1.5K"),
    ],
)
def test_written_counts(value: int, digits: int | None, text: str) -> None:
    assert format_count(value, digits) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("512", 512), ("512B", 512), ("16GiB", 16 * 2**30), ("8GB", 8 * 10**9), ("1.5kib", 1536), ("2 MB", 2 * 10**6)],
)
def test_bytes(text: str, value: int) -> None:
    assert parse_bytes(text) == value


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (16 * 2**30, None, "16GiB"),
        (8 * 10**9, None, "8GB"),
        (1001, None, "1001B"),
        (0, None, "0B"),
        (17_000_000_000, 3, "15.8GiB"),
        (100, 2, "100B"),
    ],
)
def test_written_bytes(value: int, digits: int | None, text: str) -> None:
    assert format_bytes(value, digits) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("10m", 600),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1.5h", 5400),
        ("90", 90),
        ("0.25s", 0.25),
        ("0s", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "digits", "text"),
    [
        (45, None, "45s"),
        (600.0, None, "10m"),
        (5400, None, "1h30m"),
        (0, None, "0s"),
        (3661.5, None, "1h1m1.5s"),
        (0.1, None, "0.1s"),
        (5025.34, 0, "1h23m45s"),
        (59.96, 1, "1m"),
        (12.3456, 1, "12.3s"),
        (0.004, 1, "0s"),
    ],
)
def test_written_durations(seconds: float, digits: int | None, text: str) -> None:
    assert format_duration(seconds, digits) == text


GARBAGE = ["", " ", "-5", "-5M", "nan", "inf", "M", "1,5M", "1.M", ".5M", "4x", "1e9999", "0x10", "٣", "1M2"]


@pytest.mark.parametrize("parse", [parse_count, parse_bytes, parse_duration])
@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_refused_in_one_line_with_an_example(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=rf"\A[^\n]*'{re.escape(text)}'[^\n]*\d[A-Za-z]+[^\n]*\Z"):
        parse(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_count, "1.5"),
        (parse_count, "1.0005K"),
        (parse_bytes, "0.5B"),
        (parse_bytes, "16G"),
        (parse_duration, "30m1h"),
        (parse_duration, "1m1m"),
        (parse_duration, "10M"),
        (parse_duration, "1e999s"),
    ],
)
def test_what_is_not_whole_or_ambiguous_is_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse(text)


@pytest.mark.parametrize("form", [format_count, format_bytes, format_duration])
def test_negative_values_are_refused(form: Callable[[int], str]) -> None:
    with pytest.raises(ValueError, match="-1"):
        form(-1)


@pytest.mark.parametrize("seconds", [math.nan, math.inf])
def test_a_duration_is_finite(seconds: float) -> None:
    with pytest.raises(ValueError, match=str(seconds)):
        format_duration(seconds)


@pytest.mark.parametrize("form", [format_count, format_bytes])
def test_digits_start_at_one(form: Callable[[int, int], str]) -> None:
    with pytest.raises(ValueError, match="digits"):
        form(5, 0)

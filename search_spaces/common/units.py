"""Conversion between numbers and text in human units: counts ("400M"), bytes ("16GiB") and durations ("1h30m").

Without `digits`, every `format_x` is exact: `parse_x(format_x(value)) == value`. With `digits` it is for display.
All arithmetic is decimal or whole, so no digit is lost to binary rounding.
"""

from __future__ import annotations

import math
import operator
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

COUNT_SUFFIXES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
DECIMAL_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BINARY_BYTES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
DURATION_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*([a-z]*)\s*", re.IGNORECASE | re.ASCII)
_DURATION = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in DURATION_UNITS), re.ASCII)
_COUNT_HINT = "write a whole number such as 312, 400M or 1.5G"
_BYTES_HINT = "write a whole number of bytes such as 512MB, 8GB or 16GiB"
_DURATION_HINT = "write seconds or a duration such as 45s, 10m or 1h30m"


def parse_count(text: str) -> int:
    """A count such as "312", "400M" or "1.5G" (K, M, G or B, T: powers of 1000, in either case), exactly.

    Raises ValueError for anything negative, broken or not whole.
    """
    suffixes = {**COUNT_SUFFIXES, "B": 10**9}
    return _parse_whole(text, {suffix.lower(): factor for suffix, factor in suffixes.items()}, "count", _COUNT_HINT)


def format_count(value: int, digits: int | None = None) -> str:
    """The count with the largest suffix that leaves a number of at least 1; `digits` rounds to significant digits."""
    count = _whole(value, "count")
    rounded = Decimal(count) if digits is None else _significant(count, digits)
    return _scaled(rounded, COUNT_SUFFIXES)


def parse_bytes(text: str) -> int:
    """Bytes such as "8GB" (powers of 1000), "16GiB" (powers of 1024) or "512" alone, exactly.

    Raises ValueError for anything negative, broken or not whole, and for "16G", which could mean either.
    """
    units = {"": 1, **DECIMAL_BYTES, **BINARY_BYTES}
    return _parse_whole(text, {unit.lower(): factor for unit, factor in units.items()}, "size", _BYTES_HINT)


def format_bytes(value: int, digits: int | None = None) -> str:
    """The shortest exact text ("16GiB", "8GB", "1001B"); `digits` rounds to significant digits of a binary unit."""
    size = _whole(value, "size")
    if digits is not None:
        return _significant_binary(size, digits)
    texts = [f"{size}B", _scaled(Decimal(size), DECIMAL_BYTES)]
    texts += [f"{size // factor}{unit}" for unit, factor in BINARY_BYTES.items() if size and size % factor == 0]
    return min(texts, key=len)


def parse_duration(text: str) -> float:
    """Seconds from "45s", "10m", "1h30m", "2d" or a bare number of seconds.

    Raises ValueError for anything negative or broken, and for units out of order.
    """
    stripped = text.strip()
    match = _DURATION.fullmatch(stripped if not re.fullmatch(_NUMBER, stripped, re.ASCII) else f"{stripped}s")
    if not stripped or match is None:
        raise ValueError(f"cannot read '{text}' as a duration: {_DURATION_HINT}")
    parts = zip(match.groups(), DURATION_UNITS.values(), strict=True)
    try:
        return float(sum(Fraction(number) * factor for number, factor in parts if number))
    except OverflowError:
        raise ValueError(f"cannot read '{text}' as a duration: too long; {_DURATION_HINT}") from None


def format_duration(seconds: float, digits: int | None = None) -> str:
    """The duration in days, hours, minutes and seconds ("1h30m"); `digits` rounds to decimals of the seconds."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"a duration must be at least 0 seconds and finite, got {seconds}")
    # repr is the shortest decimal that gives the float back, so no information is lost.
    exact = Decimal(repr(float(seconds)))
    if digits is not None:
        exact = Decimal(repr(round(float(seconds), digits)))
    whole = int(exact)
    fraction = format(exact - whole, "f")[1:].rstrip("0").rstrip(".") if exact != whole else ""
    texts = []
    for unit, factor in DURATION_UNITS.items():
        number, whole = divmod(whole, factor)
        decimals = fraction if unit == "s" else ""
        if number or decimals:
            texts.append(f"{number}{decimals}{unit}")
    return "".join(texts) or "0s"


def _parse_whole(text: str, factors: dict[str, int], what: str, hint: str) -> int:
    match = _QUANTITY.fullmatch(text)
    factor = factors.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f"cannot read '{text}' as a {what}: {hint}")
    value = Fraction(match[1]) * factor
    if value.denominator != 1:
        raise ValueError(f"cannot read '{text}' as a {what}: it is not whole; {hint}")
    return value.numerator


def _whole(value: int, what: str) -> int:
    number = operator.index(value)
    if number < 0:
        raise ValueError(f"a {what} must be at least 0, got {number}")
    return number


def _significant(value: int | Decimal, digits: int) -> Decimal:
    if digits < 1:
        raise ValueError(f"digits must be at least 1, got {digits}")
    return Context(prec=digits, rounding=ROUND_HALF_EVEN).create_decimal(value)


def _significant_binary(size: int, digits: int) -> str:
    unit, factor = _largest({"B": 1, **BINARY_BYTES}, size)
    return f"{_plain(_significant(Decimal(size) / factor, digits))}{unit}"


def _scaled(value: Decimal, units: dict[str, int]) -> str:
    unit, factor = _largest(units, value)
    # Moving the decimal point keeps every digit, at any length; a division would round to the context.
    exact = Context(prec=max(1, len(value.as_tuple().digits)))
    return f"{_plain(value.scaleb(1 - len(str(factor)), exact))}{unit}"


def _largest(units: dict[str, int], value: int | Decimal) -> tuple[str, int]:
    """The largest unit that leaves a number of at least 1."""
    return [(unit, factor) for unit, factor in units.items() if factor <= max(1, value)][-1]


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

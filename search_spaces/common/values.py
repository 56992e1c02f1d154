"""Convert the text of a setting, from a flag or a YAML file, to its type.

Flags and files are converted in the same way. YAML scalars arrive as the text in the file, so that YAML does not
interpret them first: 1:1:1 stays a word, and `null` is a value only of settings that may be unset.
"""

from __future__ import annotations

import math
import re
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

_WHOLE = re.compile(r"[+-]?\d+")
_TRUTHS = {"true": True, "false": False}
_NOTHING = ("", "null")


def convert(kind: Any, given: object) -> Any:
    """The value of type `kind` that `given` stands for: a word, or a list of words for a tuple.

    Types are bool, int, float, str, Literal, tuples of these, and unions of these and None.
    Raises ValueError, such as "must be a whole number, got two".
    """
    origin = get_origin(kind)
    if origin is tuple:
        return _tuple(kind, given)
    if not isinstance(given, str):
        raise _wrong(kind, given)
    if origin in (Union, UnionType):
        return _any_of(kind, given)
    if origin is Literal:
        if given not in get_args(kind):
            raise _wrong(kind, given)
        return given
    return _scalar(kind, given)


def describe(kind: Any) -> str:
    """The type in words, such as "a whole number"."""
    names: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    origin, parts = get_origin(kind), get_args(kind)
    if origin is tuple:
        many = "words" if parts[0] is str else "numbers"
        return many if Ellipsis in parts else f"{len(parts)} {many}"
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin in (Union, UnionType):
        return " or ".join(describe(part) for part in parts if part is not NoneType)
    return names[kind]


def _scalar(kind: Any, given: str) -> Any:
    if kind is str:
        return given
    if kind is bool and given in _TRUTHS:
        return _TRUTHS[given]
    if kind is int and _WHOLE.fullmatch(given):
        return int(given)
    if kind is float and math.isfinite(number := _number(given)):
        return number
    assert kind in (bool, int, float), f"settings of type {kind} cannot be read from text"
    raise _wrong(kind, given)


def _number(given: str) -> float:
    """The word as a number; nan if it is not a number."""
    try:
        return float(given)
    except ValueError:
        return math.nan


def _any_of(kind: Any, given: str) -> Any:
    parts = get_args(kind)
    if NoneType in parts and given in _NOTHING:
        return None
    for part in parts:
        if part is NoneType:
            continue
        try:
            return convert(part, given)
        except ValueError:
            continue
    raise _wrong(kind, given)


def _tuple(kind: Any, given: object) -> tuple[Any, ...]:
    words, parts = [given] if isinstance(given, str) else given, get_args(kind)
    if not isinstance(words, list):
        raise _wrong(kind, given)
    kinds = [parts[0]] * len(words) if Ellipsis in parts else parts
    if len(kinds) != len(words):
        raise _wrong(kind, given)
    try:
        return tuple(convert(part, word) for part, word in zip(kinds, words, strict=True))
    except ValueError:
        raise _wrong(kind, given) from None


def _wrong(kind: Any, given: object) -> ValueError:
    shown = " ".join(map(str, given)) if isinstance(given, list) else given
    return ValueError(f"must be {describe(kind)}, got {shown or 'nothing'}")

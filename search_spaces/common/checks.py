"""Checks of settings whose errors name the flag. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from typing import TypeVar

from search_spaces.common.settings import flag_of, settings_of

Value = TypeVar("Value")


def check_minimum(config: object, minimums: Mapping[str, int]) -> None:
    """Raise ValueError, naming the flag, for a setting below its minimum, by dotted name. None means unset."""
    for name, bound in minimums.items():
        value = attrgetter(name)(config)
        if value is not None and value < bound:
            raise ValueError(f"{settings_of(type(config))[name].flag} must be at least {bound}, got {value}")


def check_whole(what: str, value: object, minimum: int) -> None:
    """Raise ValueError unless a value is a whole number of at least `minimum`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{what} must be a whole number of at least {minimum}, got {value!r}")


def check_different(name: str, values: Collection[object]) -> None:
    """Raise ValueError, naming the flag, if a value is given twice."""
    if len(set(values)) != len(values):
        raise ValueError(f"{flag_of(name)} must differ, got {' '.join(map(str, values))}")


def parsed(name: str, parse: Callable[[str], Value], given: object) -> Value:
    """The value of a setting in human units, such as 400M. A ValueError of the parser gets the flag as its prefix."""
    try:
        return parse(str(given))
    except ValueError as error:
        raise ValueError(f"{flag_of(name)}: {error}") from None


@contextmanager
def as_flags(settings: Mapping[str, str]) -> Iterator[None]:
    """Replace the name at the beginning of a ValueError by the flag of that setting, or what begins with two dashes.

    For classes that validate themselves and do not know the command line: {"width": "proxy.width"} turns "width must
    be ..." into "--proxy.width must be ...".
    """
    try:
        yield
    except ValueError as error:
        word, space, rest = str(error).partition(" ")
        name = word.removesuffix(":")
        if name not in settings:
            raise
        raise ValueError(f"{flag_of(settings[name])}{word.removeprefix(name)}{space}{rest}") from None

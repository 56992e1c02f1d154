"""What configurations check of the values that their flags give. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

Value = TypeVar("Value")


def flag_of(name: str) -> str:
    """A setting's flag: cost_band is --cost-band."""
    return "--" + name.replace("_", "-")


def check_minimum(config: object, minimums: Mapping[str, int]) -> None:
    """Raise ValueError, naming the flag, for a setting below its minimum. None means unset."""
    for name, bound in minimums.items():
        value = getattr(config, name)
        if value is not None and value < bound:
            raise ValueError(f"{flag_of(name)} must be at least {bound}, got {value}")


def check_whole(what: str, value: object, minimum: int) -> None:
    """Raise ValueError unless a value is a whole number of at least `minimum`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{what} must be a whole number of at least {minimum}, got {value!r}")


def check_different(name: str, values: Collection[object]) -> None:
    """Raise ValueError, naming the flag, where one of a setting's values is given twice."""
    if len(set(values)) != len(values):
        raise ValueError(f"{flag_of(name)} must differ, got {' '.join(map(str, values))}")


def parsed(name: str, parse: Callable[[str], Value], given: object) -> Value:
    """What a setting in human units means, such as 400M. The parser's ValueError comes to name the flag."""
    try:
        return parse(str(given))
    except ValueError as error:
        raise ValueError(f"{flag_of(name)}: {error}") from None


@contextmanager
def as_flags(settings: Mapping[str, str]) -> Iterator[None]:
    """Within, a ValueError whose text begins with a name comes to begin with the flag of the setting of that name.

    For values that check themselves and know no command line: {"width": "proxy.width"} makes "width must be ..." of a
    Proxy "--proxy.width must be ...".
    """
    try:
        yield
    except ValueError as error:
        name, space, rest = str(error).partition(" ")
        if name not in settings:
            raise
        raise ValueError(f"{flag_of(settings[name])}{space}{rest}") from None

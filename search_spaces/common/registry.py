"""Registries: one row for each entry of a kind. Help texts, docs tables and conformance suites read the rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from search_spaces.common.lazy import resolve
from search_spaces.common.suggest import nearest
from search_spaces.common.user_code import is_user_code, load_user_code


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is known about an entry before its code is imported.

    name    as flags and files write it
    code    "module:attribute", imported on use
    label   what it is, in a few words
    source  the paper and section, or how it came about
    """

    name: str
    code: str
    label: str
    source: str = ""

    def load(self) -> Any:
        """The entry's code, imported."""
        return resolve(self.code)


AnyRow = TypeVar("AnyRow", bound=Row)


class Registry(Mapping[str, AnyRow], Generic[AnyRow]):
    """The rows of one kind by name, in their order.

    `row` also takes a user's own `module:name`, which names one of two things: a row, or the code itself. `adopt` makes
    the row of the latter from its name and the object. It raises ValueError, with the contract, for any other object.
    """

    def __init__(self, kind: str, rows: Iterable[AnyRow], adopt: Callable[[str, Any], AnyRow]) -> None:
        self.kind = kind
        self._rows = {row.name: row for row in rows}
        self._adopt = adopt
        self._class = type(next(iter(self._rows.values())))

    def __getitem__(self, name: str) -> AnyRow:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, name: str) -> AnyRow:
        """The row of that name, or of a user's own `module:name`.

        Raises ValueError, in one line, for an unknown name, with the nearest one, and for code that cannot be imported
        or is not what the kind needs.
        """
        if name in self._rows:
            return self._rows[name]
        if not is_user_code(name):
            raise ValueError(f"unknown {self.kind} '{name}'{nearest(name, self._rows)}")
        found = load_user_code(self.kind, name)
        if isinstance(found, self._class):
            return dataclasses.replace(found, name=name)
        try:
            return self._adopt(name, found)
        except ValueError as error:
            raise ValueError(f"{self.kind} {name} {error}") from None

    def describe(self) -> str:
        """The names for a help text."""
        return f"{', '.join(self)}, or your own as module:name"

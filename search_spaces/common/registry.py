"""Registries: one row for each entry of a kind. Help texts, docs tables and conformance suites read the rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

    @property
    def is_own(self) -> bool:
        """Whether it is a user's own code."""
        return is_user_code(self.name)

    def load(self) -> Any:
        """The entry's code, imported."""
        return resolve(self.code)


AnyRow = TypeVar("AnyRow", bound=Row)


class Registry(Mapping[str, AnyRow], Generic[AnyRow]):
    """The rows of one kind by name, in their order.

    `row` also takes a user's own `module:name`, which names one of two things: a row, or the code itself. `adopt` makes
    the row of the latter from its name and the object. It raises ValueError, with the contract, for any other object.
    `forms` are other names that the kind takes, such as imagefolder:DIR; they are no rows and never a user's code.
    """

    def __init__(
        self, kind: str, rows: Iterable[AnyRow], adopt: Callable[[str, Any], AnyRow], *, forms: Sequence[str] = ()
    ) -> None:
        self.kind = kind
        self.forms = tuple(forms)
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
        if not self.is_own(name):
            raise ValueError(f"unknown {self.kind} '{name}'{nearest(name, (*self._rows, *self.forms))}")
        found = load_user_code(self.kind, name)
        row = dataclasses.replace(found, name=name) if isinstance(found, self._class) else None
        if row is not None and not is_user_code(row.code):
            raise ValueError(f"{self.kind} {name} has the code '{row.code}': it must be module:name")
        code = found if row is None else load_user_code(self.kind, row.code)
        try:
            adopted = self._adopt(name, code)
        except ValueError as error:
            raise ValueError(f"{self.kind} {name} {error}") from None
        return row or adopted

    def is_own(self, name: str) -> bool:
        """Whether a name is that of a user's own code, such as my_images:load."""
        form = f"{name.partition(':')[0]}:"
        return name not in self._rows and is_user_code(name) and not any(one.startswith(form) for one in self.forms)

    def own_code(self, name: str) -> tuple[str, ...]:
        """The user's code behind a name, as module:name: the name itself and, if that is a row, the row's code."""
        return tuple(dict.fromkeys((name, self.row(name).code))) if self.is_own(name) else ()

    def describe(self, *, labels: bool = False) -> str:
        """The names for a help text, with their labels if those are asked for."""
        names = [f"{name} ({row.label})" if labels else name for name, row in self.items()]
        return f"{', '.join((*names, *self.forms))}, or your own as module:name"

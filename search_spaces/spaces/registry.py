"""The search spaces by name, a row each; a user's own."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from search_spaces.common.registry import Registry, Row
from search_spaces.common.suggest import nearest
from search_spaces.common.user_code import called, is_user_code
from search_spaces.networks.arch import Arch
from search_spaces.networks.registry import own_operators

if TYPE_CHECKING:
    from search_spaces.spaces.space import Space

CONTRACT = "must be a Space, or a function with keyword arguments such as resolution and classes that returns one"
# Settings that a space's networks have themselves. They must be what was asked for.
CHECKED = ("resolution", "classes")


@dataclass(frozen=True, kw_only=True)
class SearchSpace(Row):
    """A search space's row. Its code is a function of settings by keyword that returns a `Space`, or a `Space`.

    references  networks that it can vary, as its setting `reference` names them, the default first; empty: no choice
    """

    references: tuple[str, ...] = ()

    def make(self, **settings: Any) -> Space:
        """The space of some settings; the same settings give the same space, whose tables are then made once.

        Raises ValueError for a setting that it does not have, and if the code gives no space of networks, or one of
        other networks than asked for.
        """
        code = self.load()
        known = inspect.signature(code).parameters if callable(code) else CHECKED
        for setting, value in settings.items():
            if setting not in known:
                raise ValueError(f"{setting} is no setting of space {self.name}, got {value}{nearest(setting, known)}")
        return _made(self, **settings)


@lru_cache(maxsize=8, typed=True)
def _made(row: SearchSpace, **settings: Any) -> Space:
    code = row.load()
    made: Space
    if is_user_code(row.name):
        made = called(f"space {row.name}", code, **settings) if callable(code) else code
        _check(row, made, settings)
    else:
        made = code(**settings)
    return made


def _check(row: SearchSpace, made: Any, settings: Mapping[str, Any]) -> None:
    """Raise ValueError unless a user's own is a space of the networks that were asked for."""
    from search_spaces.spaces.space import Space

    if not isinstance(made, Space):
        raise ValueError(f"space {row.name} {CONTRACT}, got {type(made).__name__}")
    arch = called(f"space {row.name}", made.decode, made.choice([0] * len(made.choices)))
    if not isinstance(arch, Arch):
        raise ValueError(f"space {row.name} must decode a choice to an Arch, got {type(arch).__name__}")
    for setting in CHECKED:
        asked, found = settings.get(setting), getattr(arch, setting)
        if asked not in (None, found):
            raise ValueError(f"space {row.name} must have networks of {setting} {asked}, as asked for, got {found}")


def adopt(name: str, found: Any) -> SearchSpace:
    """The row of a user's space, or of a function that makes one."""
    from search_spaces.spaces.space import Space

    if not (isinstance(found, Space) or callable(found)):
        raise ValueError(f"{CONTRACT}, got {type(found).__name__}")
    return SearchSpace(name=name, code=name, label=name)


SPACES = Registry(
    "space",
    [
        SearchSpace(
            name="mnasnet",
            code="search_spaces.spaces.mnasnet:mnasnet_space",
            label="op, kernel, SE, skip, width and depth of seven stages",
            source="MnasNet, arXiv 1807.11626, Section 3.1 and Figure 4",
            references=("mobilenet_v2", "mnasnet_a1", "efficientnet_b0"),
        ),
        SearchSpace(
            name="small",
            code="search_spaces.spaces.mnasnet:small_space",
            label="the same of six stages, for images of 16 to 64 px",
            source="ours",
        ),
        SearchSpace(
            name="efficientnetv2",
            code="search_spaces.spaces.efficientnetv2:efficientnetv2_space",
            label="MBConv or Fused-MBConv, expansion, kernel and depth of each stage",
            source="EfficientNetV2, arXiv 2104.00298, Section 3.2",
            references=("efficientnet_b4", "efficientnet_b0", "efficientnetv2_b0", "efficientnetv2_s"),
        ),
    ],
    adopt,
)


@dataclass(frozen=True)
class References:
    """The reference networks of all spaces."""

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for row in SPACES.values() for name in row.references))

    def describe(self, *, labels: bool = False) -> str:
        """Their names for a help text, by space; they have no labels."""
        taking = {row.name: row.references for row in SPACES.values() if row.references}
        return "; ".join(f"for {name} {first} (default), {', '.join(rest)}" for name, (first, *rest) in taking.items())


REFERENCES = References()


def space(name: str, **settings: Any) -> Space:
    """A search space by name (see `SPACES`), or a user's own by `module:name`: a function that returns a `Space`, or a
    `Space`. `settings` are the function's arguments, such as resolution and classes. The same name and settings give
    the same space. Raises ValueError, with the nearest known name, for an unknown name or setting.
    """
    return SPACES.row(name).make(**settings)


def operators_of(made: Space) -> tuple[str, ...]:
    """The user's own operators that networks of a space may have, and their code, as module:name.

    Every value of every choice is decoded once, beside the first values of the others.
    """
    archs, first = [], [0] * len(made.choices)
    for place, count in enumerate(made.radices):
        for value in range(count):
            archs.append(made.decode(made.choice([*first[:place], value, *first[place + 1 :]])))
    return own_operators(*archs)

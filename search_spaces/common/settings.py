"""The settings of a configuration class: their dotted names, flags, types and defaults. Imports nothing heavy.

A configuration is a frozen dataclass; settings that belong together are a nested one. Field `root` of the nested
dataclass `data` is the setting data.root: `config.data.root` in Python, `data: {root: ...}` in YAML.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar, get_type_hints

from search_spaces.common.lazy import resolve
from search_spaces.common.registry import Registry

Value = TypeVar("Value")
_FLAG, _REGISTRY, _FLAT = "flag", "registry", "flat"


def setting(default: Value, *, flag: str = "", registry: str = "") -> Value:
    """A field of a configuration with a flag or names of its own.

    Args:
        default: of the field
        flag: the flag without its dashes, such as data-root. By default it follows from the field's name
        registry: "module:attribute" of the `Registry` that takes the place of {names}, or of {labels}, in the help

    """
    given: Value = dataclasses.field(default=default, metadata={_FLAG: flag, _REGISTRY: registry})
    return given


def flat(make: Callable[[], Value]) -> Value:
    """A nested dataclass whose flags do not begin with the name of its field; `make` makes the default."""
    group: Value = dataclasses.field(default_factory=make, metadata={_FLAT: True})
    return group


@dataclass(frozen=True)
class Setting:
    """What is known of a setting without its value.

    name      dotted, as Python and YAML have it: data.root
    flag      such as --data-root
    kind      its type
    default   `dataclasses.MISSING` if there is none
    registry  see `setting`
    owner     the dataclass with the field
    """

    name: str
    flag: str
    kind: Any
    default: Any
    registry: str
    owner: type[Any]

    @property
    def group(self) -> str:
        """The dotted name of the nested dataclass; empty for a setting of the configuration itself."""
        return self.name.rpartition(".")[0]


def settings_of(config_class: type[Any]) -> dict[str, Setting]:
    """The settings of a configuration class by name, in the order of its fields."""
    found = {one.name: one for one in _settings(config_class, None, "", "")}
    flags = [one.flag for one in found.values()]
    assert len(set(flags)) == len(flags), f"two settings of {config_class.__name__} have the same flag"
    return found


def flag_of(name: str) -> str:
    """The flag that follows from a name: cost_band is --cost-band. A flag stays what it is."""
    return name if name.startswith("--") else "--" + name.replace("_", "-")


def value_at(values: Any, name: str) -> Any:
    """The value of a dotted name in nested mappings; None if there is none."""
    for part in name.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def without(values: Mapping[str, Any], names: Collection[str], prefix: str = "") -> dict[str, Any]:
    """Nested mappings without the settings, or whole groups, of these dotted names."""
    return {
        key: without(value, names, f"{prefix}{key}.") if isinstance(value, Mapping) else value
        for key, value in values.items()
        if prefix + key not in names
    }


def own_code(config: Any) -> tuple[str, ...]:
    """The user's own code that the settings of a configuration name, as module:name.

    A name is the value of a setting with a registry, or one of several, up to the "=" of a value such as params=5M.
    """
    found: dict[str, None] = {}
    for one in settings_of(type(config)).values():
        registry = resolve(one.registry) if one.registry else None
        value = attrgetter(one.name)(config)
        if isinstance(registry, Registry):
            names = value if isinstance(value, tuple) else (value,)
            for name in (str(name).partition("=")[0] for name in names if name):
                found |= dict.fromkeys(registry.own_code(name))
    return tuple(found)


def _settings(config_class: type[Any], default: Any, names: str, flags: str) -> Iterator[Setting]:
    """The settings of a class, or of a nested dataclass with a default value; `names` and `flags` precede theirs."""
    hints = get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        name, kind, meta = names + field.name, hints[field.name], field.metadata
        value = field.default if default is None else getattr(default, field.name)
        if not dataclasses.is_dataclass(kind):
            flag = meta.get(_FLAG) or flags + field.name
            yield Setting(name, flag_of(flag), kind, value, meta.get(_REGISTRY, ""), config_class)
            continue
        if default is None:
            assert callable(field.default_factory), f"{name} has settings of its own and no default"
            value = field.default_factory()
        yield from _settings(type(value), value, f"{name}.", flags if meta.get(_FLAT) else f"{flags}{field.name}.")

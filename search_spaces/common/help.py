"""The text of --help: all flags with their values and defaults."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from search_spaces.common.checks import flag_of

_ENTRY = re.compile(r"    (\w+): (.*)")


def help_text(config_class: type[Any], *, prog: str, description: str) -> str:
    """The help of a command whose settings are a dataclass. Groups are the class and each nested dataclass."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--config", metavar="FILE", help="YAML file of these settings; flags win over it")
    own = [field for field in dataclasses.fields(config_class) if _nested(config_class, field) is None]
    _add(parser, _title(config_class), config_class, own, "", None)
    texts = attributes(config_class)
    for field in dataclasses.fields(config_class):
        if (inner := _nested(config_class, field)) is not None:
            assert callable(field.default_factory), f"{field.name} has settings of its own and no default"
            fields = list(dataclasses.fields(inner))
            _add(parser, texts[field.name].rstrip("."), inner, fields, f"{field.name}.", field.default_factory())
    return parser.format_help()


def attributes(config_class: type[Any]) -> dict[str, str]:
    """The entries under "Attributes:" in the docstrings of a class and its bases, by name."""
    found: dict[str, str] = {}
    for base in reversed(config_class.__mro__):
        found |= dict(_entries(inspect.cleandoc(base.__doc__ or "")))
    return found


def _entries(docstring: str) -> Iterator[tuple[str, str]]:
    _, _, rest = docstring.partition("Attributes:\n")
    name, lines = "", list[str]()
    for line in rest.splitlines():
        if entry := _ENTRY.fullmatch(line):
            if name:
                yield name, " ".join(lines)
            name, lines = entry[1], [entry[2]]
        elif line.startswith("        "):
            lines.append(line.strip())
        elif line:
            break
    if name:
        yield name, " ".join(lines)


def _add(
    parser: argparse.ArgumentParser,
    title: str,
    config_class: type[Any],
    fields: list[dataclasses.Field[Any]],
    prefix: str,
    default: object,
) -> None:
    """A group of flags. `default` is the default value of a nested dataclass."""
    group, hints, texts = parser.add_argument_group(title), get_type_hints(config_class), attributes(config_class)
    for field in fields:
        value = field.default if default is None else getattr(default, field.name)
        text = f"{texts[field.name]}{_default(value)}".replace("%", "%%")
        group.add_argument(flag_of(prefix + field.name), help=text, **_value(field.name, hints[field.name]))


def _nested(config_class: type[Any], field: dataclasses.Field[Any]) -> type[Any] | None:
    kind: type[Any] = get_type_hints(config_class)[field.name]
    return kind if dataclasses.is_dataclass(kind) else None


def _title(config_class: type[Any]) -> str:
    """The first sentence of the docstring, which may be wrapped."""
    first, _, _ = inspect.cleandoc(config_class.__doc__ or "").partition("\n\n")
    return " ".join(first.split()).rstrip(".")


def _value(name: str, kind: Any) -> dict[str, Any]:
    """Arguments of argparse for the value of a flag: no value for a bool, else its placeholder."""
    if kind is bool:
        return {"action": "store_true"}
    values = get_args(kind)
    if get_origin(kind) is tuple:
        return {"metavar": "VALUE ..." if Ellipsis in values else " ".join(["VALUE"] * len(values))}
    if get_origin(kind) is Literal:
        return {"metavar": f"{{{','.join(values)}}}"}
    return {"metavar": name.upper()}


def _default(value: Any) -> str:
    """The default at the end of a setting's help; empty if the default is no value."""
    if value is None or value is False or value in ("", ()):
        return ""
    return f" (default: {' '.join(map(_typed, value)) if isinstance(value, tuple) else _typed(value)})"


def _typed(value: Any) -> str:
    """A value as it is typed on the command line."""
    return f"{value:g}" if isinstance(value, float) else str(value)

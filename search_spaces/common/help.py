"""The text of --help: all flags with their values and defaults."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from search_spaces.common.lazy import resolve
from search_spaces.common.registry import Registry, Row
from search_spaces.common.settings import Setting, settings_of

_ENTRY = re.compile(r"    (\w+): (.*)")


def help_text(config_class: type[Any], *, prog: str, description: str) -> str:
    """The help of a command whose settings are a dataclass. Groups are the class and each nested dataclass."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--config", metavar="FILE", help="YAML file of these settings; flags win over it")
    known = list(settings_of(config_class).values())
    for name in sorted(dict.fromkeys(one.group for one in known), key=bool):
        group = parser.add_argument_group(_title(config_class, name))
        for one in known:
            if one.group == name:
                group.add_argument(one.flag, help=text_of(one).replace("%", "%%"), **_value(one))
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


def _title(config_class: type[Any], group: str) -> str:
    """The title of a group of flags: the text of a nested dataclass' field, or the class docstring's first sentence."""
    name, _, rest = group.partition(".")
    if rest:
        return _title(get_type_hints(config_class)[name], rest)
    if name:
        return attributes(config_class)[name].rstrip(".")
    first, _, _ = inspect.cleandoc(config_class.__doc__ or "").partition("\n\n")
    return " ".join(first.split()).rstrip(".")


def text_of(setting: Setting) -> str:
    """The help of a setting with its default; its registry takes the place of {names}, or of {labels}."""
    text = attributes(setting.owner)[setting.name.rpartition(".")[2]]
    if setting.registry:
        registry: Registry[Row] = resolve(setting.registry)
        text = text.replace("{names}", registry.describe()).replace("{labels}", registry.describe(labels=True))
    return text + _default(setting.default)


def _value(setting: Setting) -> dict[str, Any]:
    """Arguments of argparse for the value of a flag: no value for a bool, else its placeholder."""
    kind, values = setting.kind, get_args(setting.kind)
    if kind is bool:
        return {"action": "store_true"}
    if get_origin(kind) is tuple:
        return {"metavar": "VALUE ..." if Ellipsis in values else " ".join(["VALUE"] * len(values))}
    if get_origin(kind) is Literal:
        return {"metavar": f"{{{','.join(values)}}}"}
    return {"metavar": setting.flag.removeprefix("--").rpartition(".")[2].replace("-", "_").upper()}


def _default(value: Any) -> str:
    """The default at the end of a setting's help; empty if the default is no value."""
    if value is None or value is False or value in ("", ()):
        return ""
    return f" (default: {' '.join(map(_typed, value)) if isinstance(value, tuple) else _typed(value)})"


def _typed(value: Any) -> str:
    """A value as it is typed on the command line."""
    return f"{value:g}" if isinstance(value, float) else str(value)

"""How every command reads its flags and ends: a frozen dataclass in, one clear line on stderr when something fails."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from search_spaces.common.checks import as_flags, flag_of
from search_spaces.common.help import help_text
from search_spaces.common.suggest import nearest
from search_spaces.common.text import one_line

USER_ERROR = 2
INTERRUPTED = 128 + signal.SIGINT
Config = TypeVar("Config")


_UNKNOWN = re.compile(r"(?:Group '(?P<group>[\w.]+)' does not accept option|Option) '(?P<name>[\w.]+)'")
_WRONG = re.compile(r'Parser key "(?P<name>[\w.]+)": (?P<reason>.*)')
_VALUE = re.compile(r"(?:[Gg]ot value|[Gg]iven value): '?(?P<value>[^'\"]*)")


def run(main: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None) -> int:
    """Call a command and turn a user's mistake (ValueError) into one line and exit code 2, Ctrl-C into code 130."""
    try:
        return main(sys.argv[1:] if argv is None else argv) or 0
    except ValueError as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        return USER_ERROR
    except PermissionError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt as error:
        print(f"interrupted{': ' + str(error) if str(error) else ''}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; a second complaint at interpreter exit would be noise.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class Parser(argparse.ArgumentParser):
    """A parser whose errors are the user's, told in one line like all others."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see --help")


def parse(config_class: type[Config], argv: Sequence[str], *, prog: str, description: str) -> Config:
    """The configuration that flags and a YAML file (`--config`; flags win) describe.

    Field `cost_band` is flag `--cost-band`, a nested dataclass' field `--proxy.width`, a bool a plain flag, a tuple
    several words. Every field's help is its line under "Attributes:" in the class docstring. Raises ValueError, in one
    line, for an unknown flag or key (with the near name), or a value of the wrong type.
    """
    fields = dict(_fields(config_class))
    parser = _parser(config_class, prog, description)
    if {"-h", "--help"} & set(argv):
        print(help_text(parser, fields), end="")
        raise SystemExit(0)
    arguments = _plain(argv, fields)
    for word in arguments:
        if word.startswith("--config="):
            _check_file(Path(word.removeprefix("--config=")), fields)
    try:
        values = parser.parse_args(arguments).as_dict()
    except Exception as error:  # jsonargparse wraps what is wrong in several types
        raise ValueError(_explain(str(error), fields)) from None
    values.pop("config", None)
    return config_class(**{name: _nested(config_class, name, value) for name, value in values.items()})


def to_yaml(config: Any) -> str:
    """The configuration as YAML that `--config` reads back to an equal one."""
    import yaml

    return yaml.safe_dump(plain(config), sort_keys=False)


def plain(config: Any) -> dict[str, Any]:
    """A configuration, or settings by name, as nested dicts of what YAML and JSON have."""
    values: dict[str, Any] = _plain_values(config if isinstance(config, dict) else dataclasses.asdict(config))
    return values


def _nested(config_class: type[Any], name: str, value: Any) -> Any:
    """A setting's value; a nested dataclass, whose mistakes come to name their flags, where it is to be one."""
    kind: type[Any] = get_type_hints(config_class)[name]
    if not dataclasses.is_dataclass(kind):
        return value
    with as_flags({field: f"{name}.{field}" for field in value}):
        return kind(**value)


def _parser(config_class: type[Any], prog: str, description: str) -> Any:
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(prog=prog, description=description, exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(config_class, None)
    return parser


def _fields(config_class: type[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        kind = hints[field.name]
        if dataclasses.is_dataclass(kind):
            yield from _fields(kind, f"{prefix}{field.name}.")  # type: ignore[arg-type]
        else:
            yield prefix + field.name, kind


def _plain(argv: Sequence[str], fields: dict[str, Any]) -> list[str]:
    """The arguments as jsonargparse wants them: underscores in names, `true` after a flag, [a,b] for several words."""
    result: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            raise ValueError(f"unexpected argument '{word}': settings are flags, see --help")
        flag, equals, value = word[2:].partition("=")
        name = flag.replace("-", "_")
        if name not in fields and name != "config":
            raise ValueError(f"unknown flag '--{flag}'{nearest('--' + flag, [flag_of(field) for field in fields])}")
        given = [value] if equals else _take_values(words, fields.get(name, str))
        if not given:
            raise ValueError(f"--{flag} needs a value")
        result.append(f"--{name}={_value(given, fields.get(name, str))}")
    # Files first: what a flag says wins over a file, wherever the two stand.
    return sorted(result, key=lambda word: not word.startswith("--config="))


def _check_file(path: Path, fields: dict[str, Any]) -> None:
    """Raise ValueError, naming the file, where it is no YAML file of settings."""
    import yaml

    try:
        found = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ValueError(f"cannot read --config {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"--config {path} is no YAML: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"--config {path} must hold settings, a line 'name: value' each, got {found!r:.60}")
    for group in _groups(fields):
        if not isinstance(found.get(group, {}), dict):
            raise ValueError(f"--config {path}: '{group}' must hold settings of its own, got {found[group]!r:.60}")


def _groups(fields: dict[str, Any]) -> set[str]:
    """Names of the nested dataclasses."""
    return {name.partition(".")[0] for name in fields if "." in name}


def _take_values(words: list[str], kind: Any) -> list[str]:
    if kind is bool:
        return [words.pop(0)] if words and words[0] in ("true", "false") else ["true"]
    several = get_origin(kind) is tuple
    taken: list[str] = []
    while words and not words[0].startswith("--") and (several or not taken):
        taken.append(words.pop(0))
    return taken


def _value(given: list[str], kind: Any) -> str:
    """What stands behind a flag: one word as it is, a tuple's words as a YAML list."""
    if get_origin(kind) is not tuple or given[0].startswith("["):
        return given[0]
    # Quoted, as YAML would take the word 1:1:1 for a number to the base of 60, and "on" for a truth.
    return f"[{','.join(map(json.dumps, given) if str is get_args(kind)[0] else given)}]"


def _explain(message: str, fields: dict[str, Any]) -> str:
    """The parser's message in one line, in terms of flags and with the near name of an unknown key."""
    text = one_line(message)
    if unknown := _UNKNOWN.search(text):
        name = ".".join(filter(None, (unknown["group"], unknown["name"])))
        return f"unknown setting '{name}'{nearest(name, fields)}"
    if wrong := _WRONG.search(text):
        kind, value = _kind(fields.get(wrong["name"])), _VALUE.search(wrong["reason"])
        if kind and value:
            return f"{flag_of(wrong['name'])} must be {kind}, got {value['value'].strip()}"
        return f"{flag_of(wrong['name'])}: {wrong['reason']}"
    return text


def _kind(hint: Any) -> str:
    names: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false"}
    if get_origin(hint) is tuple:
        if str is get_args(hint)[0]:
            return "words"
        return "numbers" if Ellipsis in get_args(hint) else f"{len(get_args(hint))} numbers"
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    if get_origin(hint) is UnionType:
        return " or ".join(filter(None, map(_kind, get_args(hint))))
    return names.get(hint, "")


def _plain_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_values(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain_values(item) for item in value]
    return str(value) if isinstance(value, Path) else value

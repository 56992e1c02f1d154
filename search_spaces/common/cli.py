"""Read the flags of a command into a frozen dataclass, run it, and report an error in one line on stderr."""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_origin

from search_spaces.common.checks import as_flags
from search_spaces.common.settings import Setting, settings_of
from search_spaces.common.suggest import nearest
from search_spaces.common.text import one_line
from search_spaces.common.values import convert

USER_ERROR = 2
CONFIG_FLAG = "--config"
INTERRUPTED = 128 + signal.SIGINT
Config = TypeVar("Config")


def run(main: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None) -> int:
    """Call a command. A user's mistake (ValueError) becomes one line and exit code 2, Ctrl-C exit code 130."""
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
        # The reader (head, less) has closed the pipe. Without this the interpreter would print a second error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ValueErrors of one line, like all other mistakes of a user."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see --help")


def parse(config_class: type[Config], argv: Sequence[str], *, prog: str, description: str) -> Config:
    """The configuration that flags and YAML files (`--config`) describe. Flags take precedence over files.

    Field `cost_band` is flag `--cost-band`, a nested dataclass' field `--proxy.width`, or what `setting` and `flat`
    say; a bool is a flag without a value, a tuple one with more than one value. Every field's help is its entry under
    "Attributes:" in the class docstring. Raises ValueError, in one line, for an unknown flag or key (with the nearest
    known name), or a value of the wrong type or range. The error begins with the flag, or with the file and the name.
    """
    if {"-h", "--help"} & set(argv):
        from search_spaces.common.help import help_text

        print(help_text(config_class, prog=prog, description=description), end="")
        raise SystemExit(0)
    known = settings_of(config_class)
    flags, files = _flags(argv, known)
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    for path in files:
        found = _file(path, known)
        values |= found
        places |= {name: _place(path, name) for name in found}
    # The checks of the configuration name the flag.
    with as_flags({known[name].flag: place for name, place in places.items() if name not in flags}):
        return _build(config_class, known, values | flags)


def to_yaml(config: Any) -> str:
    """The configuration as YAML that `--config` reads back to an equal one."""
    import yaml

    return yaml.safe_dump(plain(config), sort_keys=False)


def plain(config: Any) -> dict[str, Any]:
    """A configuration, or a dict of settings, as nested dicts of YAML and JSON types."""
    values: dict[str, Any] = _plain_values(config if isinstance(config, dict) else dataclasses.asdict(config))
    return values


def _flags(argv: Sequence[str], known: Mapping[str, Setting]) -> tuple[dict[str, Any], list[Path]]:
    """The values of flags by the names of their settings, and the files of `--config` in their order."""
    values: dict[str, Any] = {}
    files: list[Path] = []
    by_flag, words = {one.flag: one for one in known.values()}, list(argv)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            raise ValueError(f"unexpected argument '{word}': settings are flags, see --help")
        flag, equals, value = word.partition("=")
        flag = flag.replace("_", "-")
        if flag not in by_flag and flag != CONFIG_FLAG:
            raise ValueError(f"unknown flag '{flag}'{nearest(flag, by_flag)}")
        kind = str if flag == CONFIG_FLAG else by_flag[flag].kind
        given = [value] if equals else _values_behind(words, kind)
        if not given:
            raise ValueError(f"{flag} needs a value")
        if flag == CONFIG_FLAG:
            files.append(Path(given[0]))
        else:
            values[by_flag[flag].name] = _converted(flag, kind, given if get_origin(kind) is tuple else given[0])
    return values, files


def _values_behind(words: list[str], kind: Any) -> list[str]:
    """Take the words of a flag's value off the command line."""
    if kind is bool:
        return [words.pop(0)] if words and words[0] in ("true", "false") else ["true"]
    taken: list[str] = []
    while words and not words[0].startswith("--") and (get_origin(kind) is tuple or not taken):
        taken.append(words.pop(0))
    return taken


def _file(path: Path, known: Mapping[str, Setting]) -> dict[str, Any]:
    """The settings that a YAML file holds, by name. Raises ValueError, naming the file, for any mistake in it."""
    found = _flat(path, _mapping(path, _read(path), "settings, a line 'name: value' each,"), known, "")
    return {name: _converted(_place(path, name), known[name].kind, value) for name, value in found}


def _place(path: Path, name: str) -> str:
    """What the errors about a file's setting begin with."""
    return f"{CONFIG_FLAG} {path}: {name}"


def _flat(
    path: Path, found: Mapping[str, Any], known: Mapping[str, Setting], prefix: str
) -> Iterator[tuple[str, object]]:
    """Dotted names and values of a file's mapping; `prefix` names the group that it belongs to."""
    for key, value in found.items():
        name = prefix + key
        if name in known:
            yield name, value
        elif inner := [one.removeprefix(f"{name}.") for one in known if one.startswith(f"{name}.")]:
            own = _mapping(path, value, f"settings of its own ({', '.join(inner)}),", name)
            yield from _flat(path, own, known, f"{name}.")
        else:
            raise ValueError(f"--config {path}: unknown setting '{name}'{_nearest_setting(name, known)}")


def _nearest_setting(name: str, known: Mapping[str, Setting]) -> str:
    """The end of an error about an unknown setting. A flag, or a name without its group, is its setting."""
    flags = {one.flag.removeprefix("--").replace("-", "_"): one.name for one in known.values()}
    parts = {one.rpartition(".")[2]: one for one in known}
    if found := flags.get(name) or parts.get(name):
        return f": did you mean '{found}'?"
    return nearest(name, {*known, *(one.group for one in known.values() if one.group)})


def _read(path: Path) -> object:
    """The content of a YAML file; every scalar stays the text in the file."""
    import yaml

    class TextLoader(yaml.BaseLoader):
        """Refuse a key that is given twice; YAML alone would keep the last one."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            names = [self.construct_object(key, deep=True) for key, _ in node.value]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"'{name}' is given twice")
            return super().construct_mapping(node, deep=deep)

    try:
        return yaml.load(path.read_text(), Loader=TextLoader)
    except OSError as error:
        raise ValueError(f"cannot read --config {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"--config {path} is not a YAML file of settings: {error}") from None


def _mapping(path: Path, found: object, content: str, key: str = "") -> dict[str, Any]:
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        place = f"--config {path}: '{key}'" if key else f"--config {path}"
        raise ValueError(f"{place} must hold {content} got {f'{found!r:.60}' if found else 'nothing'}")
    return found


def _converted(place: str, kind: Any, given: object) -> Any:
    try:
        return convert(kind, given)
    except ValueError as error:
        raise ValueError(f"{place} {error}") from None


def _build(config_class: type[Config], known: Mapping[str, Setting], values: Mapping[str, Any]) -> Config:
    """The dataclass with these values, by dotted name, in place of its defaults."""
    own: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):  # type: ignore[arg-type]
        if field.name in values:
            own[field.name] = values[field.name]
        elif field.name not in known:
            assert callable(field.default_factory)
            own[field.name] = _group(field.default_factory(), f"{field.name}.", known, values)
    return config_class(**own)


def _group(default: Any, prefix: str, known: Mapping[str, Setting], values: Mapping[str, Any]) -> Any:
    """A nested dataclass with the values whose names begin with `prefix` in place of its own."""
    own: dict[str, Any] = {}
    flags: dict[str, str] = {}
    for field in dataclasses.fields(default):
        name = prefix + field.name
        if name not in known:
            own[field.name] = _group(getattr(default, field.name), f"{name}.", known, values)
            continue
        flags[field.name] = known[name].flag
        if name in values:
            own[field.name] = values[name]
    # A nested dataclass does not know its flags: add them to its errors.
    with as_flags(flags):
        return dataclasses.replace(default, **own)


def _plain_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_values(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain_values(item) for item in value]
    return str(value) if isinstance(value, Path) else value

"""The text of --help: flags and values as they are typed, and what is taken where a flag is not given."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from search_spaces.common.checks import flag_of


def help_text(parser: Any, kinds: Mapping[str, Any]) -> str:
    """The help of a jsonargparse parser for the settings of these types, by their dotted names.

    Made by a plain argparse parser, which shows no Python types and breaks lines once all is as it will be read.
    """
    plain = argparse.ArgumentParser(prog=parser.prog, description=parser.description)
    plain.add_argument("--config", metavar="FILE", help="YAML file of these settings; flags win over it")
    defaults = parser.get_defaults()
    for group in parser._action_groups:
        known = [action for action in group._group_actions if action.dest in kinds]
        section = plain.add_argument_group(group.title) if known else plain
        for action in known:
            text = f"{action.help}{_default(defaults[action.dest])}".replace("%", "%%")
            section.add_argument(flag_of(action.dest), help=text, **_value(action.dest, kinds[action.dest]))
    return plain.format_help()


def _value(name: str, kind: Any) -> dict[str, Any]:
    """What argparse is told of the value behind a flag: nothing for a plain flag, else what stands for it."""
    if kind is bool:
        return {"action": "store_true"}
    values = get_args(kind)
    if get_origin(kind) is tuple:
        return {"metavar": "VALUE ..." if Ellipsis in values else " ".join(["VALUE"] * len(values))}
    if get_origin(kind) is Literal:
        return {"metavar": f"{{{','.join(values)}}}"}
    return {"metavar": name.rpartition(".")[2].upper()}


def _default(value: Any) -> str:
    """The end of a setting's help; nothing where the default is that nothing is given."""
    if value is None or value is False or value in ("", ()):
        return ""
    return f" (default: {' '.join(map(_typed, value)) if isinstance(value, tuple) else _typed(value)})"


def _typed(value: Any) -> str:
    """A value as one would type it."""
    return f"{value:g}" if isinstance(value, float) else str(value)

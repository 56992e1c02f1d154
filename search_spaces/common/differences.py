"""Differences between the settings of a run and the settings given on resuming it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def differences(there: Any, here: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ: (dotted path, value there, value here); a missing value is None."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in [*there, *(name for name in here if name not in there)]:
            yield from differences(there.get(name), here.get(name), f"{path}.{name}" if path else str(name))
    elif there != here:
        yield path, there, here


def describe_differences(there: Any, here: Any, limit: int = 4) -> str:
    """The differences in one line: "proxy.width=0.25, now 0.5"; empty if there are none."""
    found = [f"{path}={_shown(old)}, now {_shown(new)}" for path, old, new in differences(there, here)]
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return "; ".join(found[:limit]) + more


def _shown(value: Any) -> str:
    return "missing" if value is None else json.dumps(value)

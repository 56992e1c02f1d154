"""What all trials of a study share, and saying what differs when somebody comes with something else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

_ATTRIBUTE = "settings"


def differences(there: Any, here: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ: (dotted path, value there, value here); a missing value is None."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in [*there, *(name for name in here if name not in there)]:
            yield from differences(there.get(name), here.get(name), f"{path}.{name}" if path else str(name))
    elif there != here:
        yield path, there, here


def describe_differences(there: Any, here: Any, limit: int = 4) -> str:
    """The differences in one line: "proxy.width is 0.25 there and 0.5 here"; empty if there are none."""
    found = [f"{path} is {_shown(old)} there and {_shown(new)} here" for path, old, new in differences(there, here)]
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return ", ".join(found[:limit]) + more


def agree(study: optuna.Study, directions: Sequence[str], settings: Mapping[str, Any]) -> None:
    """Write the settings into a new study, or hold them against an old one's. Raises ValueError where they differ."""
    normal = json.loads(json.dumps(settings))
    stored = study.user_attrs.get(_ATTRIBUTE)
    if stored is None:
        if study.get_trials(deepcopy=False):
            raise ValueError(f"study '{study.study_name}' was made by another program: choose another name or storage")
        study.set_user_attr(_ATTRIBUTE, normal)
        return
    there = {**stored, "directions": [direction.name.lower() for direction in study.directions]}
    text = describe_differences(there, {**normal, "directions": list(directions)})
    if text:
        raise ValueError(
            f"study '{study.study_name}' has other settings: {text}; use another --run, or the same settings"
        )


def _shown(value: Any) -> str:
    return "missing" if value is None else json.dumps(value)

"""The file of coefficients that were found, with the baseline and the rounding that they were found with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Coefficients
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.stages import MIN_RATIO

FORMAT = "triaxis-coefficients-1"


@dataclass(frozen=True)
class Found:
    """Coefficients, the baseline and rounding they were found with; `data` is everything else in the file."""

    coefficients: Coefficients
    baseline: Arch
    rounding: Rounding
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The file's text; `read` gives back an equal `Found`."""
        values = {
            "format": FORMAT,
            "coefficients": asdict(self.coefficients),
            "baseline": json.loads(self.baseline.to_json()),
            "rounding": asdict(self.rounding),
        }
        return json.dumps({**self.data, **values}, indent=2) + "\n"


def read(path: str | Path) -> Found:
    """Read a coefficients file.

    Raises ValueError, in one line that names the file, if it is missing or no JSON of this format, or if a coefficient
    is below 1, or coefficients, baseline or rounding are missing or broken.
    """
    try:
        values = json.loads(Path(path).read_text())
    except OSError as error:
        raise ValueError(f"cannot read coefficients file {path}: {error.strerror}") from None
    except ValueError as error:  # no UTF-8 or no JSON
        raise ValueError(f"{path}: no coefficients: not JSON ({error})") from None
    if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
        raise ValueError(f'{path}: no coefficients: expected a JSON object with "format": "{FORMAT}"')
    try:
        coefficients = _coefficients(values.pop("coefficients", None))
        baseline = Arch.from_json(json.dumps(values.pop("baseline", None)))
        return Found(coefficients, baseline, _rounding(values.pop("rounding", None)), values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _coefficients(values: object) -> Coefficients:
    given = _numbers("coefficients", values, ("alpha", "beta", "gamma"), (int, float))
    return Coefficients(*map(float, given))


def _rounding(values: object) -> Rounding:
    # A file written by hand need not say `min_ratio`: it is EN's then.
    whole = {"min_ratio": MIN_RATIO, **values} if isinstance(values, dict) else values
    divisor, step = _numbers("rounding", whole, ("divisor", "step"), (int,))
    (min_ratio,) = _numbers("rounding", whole, ("min_ratio",), (int, float))
    return Rounding(divisor, step, float(min_ratio))


def _numbers(what: str, values: object, names: tuple[str, ...], kinds: tuple[type, ...]) -> list[Any]:
    """The named numbers of an object. Raises ValueError if one is missing or no number of these kinds."""
    if not isinstance(values, dict):
        raise ValueError(f'"{what}" must be an object of {", ".join(names)}, got {values!r:.40}')
    for name in names:
        value = values.get(name)
        if not isinstance(value, kinds) or isinstance(value, bool):
            number = "a number" if float in kinds else "a whole number"
            raise ValueError(f'"{what}" must have {number} {name}, got {value!r:.40}')
    return [values[name] for name in names]

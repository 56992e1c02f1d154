"""A space's choices as Optuna's categorical parameters, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution

from search_spaces.spaces.space import Space


def distributions(space: Space) -> dict[str, CategoricalDistribution]:
    """One categorical distribution for each choice. Values that a storage cannot hold are given by their positions."""
    return {name: CategoricalDistribution(_storable(values)) for name, values in space.choices.items()}


def to_params(space: Space, choice: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a trial for a choice."""
    return {
        name: choice[name] if _storable(values) is values else values.index(choice[name])
        for name, values in space.choices.items()
    }


def to_choice(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """The choice of a trial's parameters."""
    return {
        name: params[name] if _storable(values) is values else values[params[name]]
        for name, values in space.choices.items()
    }


def _storable(values: tuple[Any, ...]) -> tuple[Any, ...]:
    plain = all(value is None or isinstance(value, bool | int | float | str) for value in values)
    return values if plain else tuple(range(len(values)))

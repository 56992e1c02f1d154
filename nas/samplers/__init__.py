"""Strategies: Optuna samplers that propose networks. `make` finds them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_spaces.naming import nearest

if TYPE_CHECKING:
    from nas.samplers.base import SpaceSampler
    from search_spaces.counting import Band
    from search_spaces.spaces import Space

STRATEGIES = ("random", "tpe")


def check(name: str) -> None:
    """Raise ValueError, with the near name, where there is no such strategy."""
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy '{name}'{nearest(name, STRATEGIES)}")


def make(name: str, space: Space, *, band: Band | None = None, seed: int = 0) -> SpaceSampler:
    """The strategy called `name` on a space: an Optuna sampler, usable in any study over the space's choices."""
    from nas.samplers.tpe import TpeSampler
    from nas.samplers.uniform import UniformSampler

    check(name)
    return {"random": UniformSampler, "tpe": TpeSampler}[name](space, band=band, seed=seed)

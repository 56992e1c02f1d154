"""Training-free measures: what a network's fresh weights say of it before any training.

A measure takes (network, images [N, C, H, W], labels [N]) and gives a number: more is meant to be better. It works on
a copy, so the network stays as it was. Only the ranking it gives counts: the units differ from measure to measure.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from search_spaces.naming import nearest

if TYPE_CHECKING:
    from torch import Tensor, nn

    Measure = Callable[[nn.Module, Tensor, Tensor], float]

NAMES = ("synflow", "naswot", "jacob_cov", "grad_norm")


def get_measure(name: str) -> Measure:
    """The measure of that name. ValueError, with the near name, where there is none. Loads torch."""
    if name not in NAMES:
        raise ValueError(f"unknown measure '{name}'{nearest(name, NAMES)}")
    measure: Measure = getattr(import_module(f"studies.measures.{name}"), f"measure_{name}")
    return measure

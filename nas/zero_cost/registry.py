"""Zero-cost proxies by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from search_spaces.common.lazy import resolve
from search_spaces.common.suggest import nearest

if TYPE_CHECKING:
    from torch import Tensor, nn

    Measure = Callable[[nn.Module, Tensor, Tensor], float]

PROXIES = ("synflow", "naswot", "jacob_cov", "grad_norm")


def get_proxy(name: str) -> Measure:
    """The zero-cost proxy of that name. ValueError, with the near name, where there is none. Loads torch."""
    if name not in PROXIES:
        raise ValueError(f"unknown zero-cost proxy '{name}'{nearest(name, PROXIES)}")
    measure: Measure = resolve(f"nas.zero_cost.{name}:measure_{name}")
    return measure

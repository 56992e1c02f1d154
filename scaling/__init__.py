"""Growing a baseline into a family of networks: coefficients, strategies, budgets, the law fitted to what they gain.

>>> import scaling, search_spaces as ss
>>> b0 = ss.get("efficientnet_b0")
>>> scaling.scale(b0, scaling.Coefficients(1.2, 1.1, 1.15), phi=1).resolution
258
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scaling.budget import solve
    from scaling.compound import Coefficients, Multipliers, scale
    from scaling.law import fit_response
    from scaling.strategy import Strategy, get_strategy

__all__ = ["Coefficients", "Multipliers", "Strategy", "fit_response", "get_strategy", "scale", "solve"]

_HOMES = {
    "Coefficients": "compound",
    "Multipliers": "compound",
    "Strategy": "strategy",
    "fit_response": "law",
    "get_strategy": "strategy",
    "scale": "compound",
    "solve": "budget",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: SciPy is heavy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'scaling' has no attribute '{name}'")
    return getattr(import_module(f"scaling.{_HOMES[name]}"), name)

"""Growing a baseline into a family of networks: coefficients, scaling strategies, the law fitted to what they gain.

>>> import scaling, search_spaces as ss
>>> b0 = ss.get("efficientnet_b0")
>>> scaling.scale(b0, scaling.Coefficients(1.2, 1.1, 1.15), phi=1).resolution
258
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_spaces.common.lazy import lazy_names

if TYPE_CHECKING:
    from scaling.law.fit import fit_response
    from search_spaces.resizing.compound import Coefficients, Multipliers, scale
    from search_spaces.resizing.matching import solve
    from search_spaces.resizing.registry import get_strategy
    from search_spaces.resizing.strategy import Strategy

__all__ = [
    "Coefficients",
    "Multipliers",
    "Strategy",
    "fit_response",
    "get_strategy",
    "scale",
    "solve",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Coefficients": "search_spaces.resizing.compound",
        "Multipliers": "search_spaces.resizing.compound",
        "Strategy": "search_spaces.resizing.strategy",
        "fit_response": "scaling.law.fit",
        "get_strategy": "search_spaces.resizing.registry",
        "scale": "search_spaces.resizing.compound",
        "solve": "search_spaces.resizing.matching",
    },
)

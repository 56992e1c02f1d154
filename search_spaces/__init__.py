"""What convolutional networks exist and what they cost.

>>> import search_spaces as ss
>>> ss.cost(ss.get("efficientnet_b0")).macs
385814752

Names load on first use, so that importing the package is quick and imports no torch; `build`, `load_torchvision` and
`audit` do import it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search_spaces.arch import Arch as Arch
    from search_spaces.arch import Stage as Stage
    from search_spaces.catalog import get as get
    from search_spaces.costs import Cost as Cost
    from search_spaces.costs import cost as cost
    from search_spaces.interop import load_torchvision as load_torchvision
    from search_spaces.layers import Layer as Layer
    from search_spaces.layers import walk as walk
    from search_spaces.network import build as build
    from search_spaces.resize import scale_depth as scale_depth
    from search_spaces.resize import scale_width as scale_width
    from search_spaces.resize import shrink as shrink

_HOMES = {
    "Arch": "arch",
    "Cost": "costs",
    "Layer": "layers",
    "Stage": "arch",
    "build": "network",
    "cost": "costs",
    "get": "catalog",
    "load_torchvision": "interop",
    "scale_depth": "resize",
    "scale_width": "resize",
    "shrink": "resize",
    "walk": "layers",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'search_spaces' has no attribute '{name}'")
    value: object = getattr(import_module(f"search_spaces.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

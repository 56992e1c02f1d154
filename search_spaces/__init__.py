"""What convolutional networks exist and what they cost.

>>> import search_spaces as ss
>>> ss.cost(ss.get("efficientnet_b0")).macs
385814752

Names load on first use, so that importing the package is quick; only `build` and `load_torchvision` import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search_spaces.arch import Arch, Stage
    from search_spaces.catalog import get
    from search_spaces.costs import Cost, cost
    from search_spaces.interop import load_torchvision
    from search_spaces.layers import walk
    from search_spaces.memory import inference_memory, largest_batch, training_memory
    from search_spaces.network import build
    from search_spaces.parts import Layer
    from search_spaces.presets import space
    from search_spaces.resize import round_channels, scale_depth, scale_width, shrink
    from search_spaces.spaces import Space

_HOMES = {
    "Arch": "arch",
    "Cost": "costs",
    "Layer": "parts",
    "Space": "spaces",
    "Stage": "arch",
    "build": "network",
    "cost": "costs",
    "get": "catalog",
    "inference_memory": "memory",
    "largest_batch": "memory",
    "load_torchvision": "interop",
    "round_channels": "resize",
    "scale_depth": "resize",
    "scale_width": "resize",
    "shrink": "resize",
    "space": "presets",
    "training_memory": "memory",
    "walk": "layers",
}

__all__ = [
    "Arch",
    "Cost",
    "Layer",
    "Space",
    "Stage",
    "build",
    "cost",
    "get",
    "inference_memory",
    "largest_batch",
    "load_torchvision",
    "round_channels",
    "scale_depth",
    "scale_width",
    "shrink",
    "space",
    "training_memory",
    "walk",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'search_spaces' has no attribute '{name}'")
    value: object = getattr(import_module(f"search_spaces.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

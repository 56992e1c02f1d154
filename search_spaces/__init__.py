"""Convolutional networks, search spaces of them, and their costs.

>>> import search_spaces as ss
>>> ss.cost(ss.get("efficientnet_b0")).macs
385814752

Names load on first use, so that importing the package is quick; only `build` and `load_torchvision` import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_spaces.common.lazy import lazy_names

if TYPE_CHECKING:
    from search_spaces.metrics.counts import Cost, cost
    from search_spaces.metrics.memory import inference_memory, largest_batch, training_memory
    from search_spaces.networks.arch import Arch, Stage
    from search_spaces.networks.blocks import Layer
    from search_spaces.networks.layers import walk
    from search_spaces.networks.module import build
    from search_spaces.networks.torchvision_weights import load_torchvision
    from search_spaces.resizing.shrink import shrink
    from search_spaces.resizing.stages import round_channels, scale_depth, scale_width
    from search_spaces.spaces.registry import space
    from search_spaces.spaces.space import Space
    from search_spaces.zoo.registry import get

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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Arch": "search_spaces.networks.arch",
        "Cost": "search_spaces.metrics.counts",
        "Layer": "search_spaces.networks.blocks",
        "Space": "search_spaces.spaces.space",
        "Stage": "search_spaces.networks.arch",
        "build": "search_spaces.networks.module",
        "cost": "search_spaces.metrics.counts",
        "get": "search_spaces.zoo.registry",
        "inference_memory": "search_spaces.metrics.memory",
        "largest_batch": "search_spaces.metrics.memory",
        "load_torchvision": "search_spaces.networks.torchvision_weights",
        "round_channels": "search_spaces.resizing.stages",
        "scale_depth": "search_spaces.resizing.stages",
        "scale_width": "search_spaces.resizing.stages",
        "shrink": "search_spaces.resizing.shrink",
        "space": "search_spaces.spaces.registry",
        "training_memory": "search_spaces.metrics.memory",
        "walk": "search_spaces.networks.layers",
    },
)

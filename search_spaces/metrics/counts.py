"""Parameters, multiply-adds and activations of a network, computed from its layers alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from search_spaces.networks.arch import Arch
from search_spaces.networks.blocks import Block, Classifier, Layer
from search_spaces.networks.layers import walk

CONVENTION = "FLOPs here are multiply-adds of convolution and linear layers for one image, as the papers count them."


@dataclass(frozen=True, slots=True)
class Cost:
    """Raw units: trainable parameters; multiply-adds and activations (elements) of one image.

    "FLOPs" on command lines and in the papers means `macs`: multiply-adds of convolution and linear layers.
    """

    params: int
    macs: int
    activations: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.params + other.params, self.macs + other.macs, self.activations + other.activations)


def cost(arch: Arch) -> Cost:
    """The cost of a network at its own resolution."""
    return total(walk(arch))


def total(layers: Iterable[Layer]) -> Cost:
    """The summed cost of some layers."""
    params = macs = activations = 0
    for layer in layers:
        params += layer.params
        macs += layer.macs
        activations += layer.activations
    return Cost(params, macs, activations)


def block_macs(block: Block | Classifier) -> int:
    """Multiply-adds of a block for one image."""
    return sum(layer.macs for layer in block.layers)


def block_params(block: Block | Classifier) -> int:
    """Trainable parameters of a block."""
    return sum(layer.params for layer in block.layers)


def block_activations(block: Block | Classifier) -> int:
    """Activations of a block for one image, in elements."""
    return sum(layer.activations for layer in block.layers)

"""Many scaled forms of one baseline as arrays, and their costs, without building each network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from search_spaces.metrics.counts import total
from search_spaces.networks.arch import Arch, Stage
from search_spaces.networks.blocks import Layer
from search_spaces.networks.layers import head_blocks, stage_layer, stem_block
from search_spaces.networks.operators import Context

Ints = NDArray[np.int64]
# Output side at which layers are priced: not 1, the side of pooled maps; the input side is a multiple of the stride.
_PROBE = 64


Polynomial = tuple[int, int, int]
"""A layer's cost as (a, b, c): a * in_side^2 + b * out_side^2 + c."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """Scaled forms of `baseline`: integers, one row a network.

    channels    [n, widths]: stem, stages and, if the baseline has one, head
    layers      [n, stages]
    resolution  [n]: side in pixels
    """

    baseline: Arch
    channels: Ints
    layers: Ints
    resolution: Ints

    def __len__(self) -> int:
        return len(self.resolution)

    @classmethod
    def of(cls, archs: Sequence[Arch], baseline: Arch) -> Shapes:
        """The shapes of some scaled forms of the baseline."""
        return cls(
            baseline,
            np.array([channels_of(arch) for arch in archs], dtype=np.int64).reshape(len(archs), -1),
            np.array([layers_of(arch) for arch in archs], dtype=np.int64).reshape(len(archs), -1),
            np.array([arch.resolution for arch in archs], dtype=np.int64),
        )

    def take(self, rows: Ints) -> Shapes:
        """The networks of these rows."""
        return Shapes(self.baseline, self.channels[rows], self.layers[rows], self.resolution[rows])

    def arch(self, row: int) -> Arch:
        """The network of a row; the baseline itself, with its name, if nothing differs."""
        stem, *channels = self.channels[row].tolist()
        head = channels.pop() if self.baseline.head else 0
        stages = tuple(
            dataclasses.replace(stage, channels=width, layers=depth)
            for stage, width, depth in zip(self.baseline.stages, channels, self.layers[row].tolist(), strict=True)
        )
        made = self.baseline.replace(stages=stages, stem=stem, head=head, resolution=int(self.resolution[row]))
        return made if made == self.baseline else made.replace(name="")

    def distinct(self) -> tuple[Ints, Ints]:
        """The first row of each different network, in order of rows; and for every row its index in that list."""
        rows = np.column_stack([self.channels, self.layers, self.resolution])
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return first[order], place[inverse.reshape(-1)]

    def macs(self) -> Ints:
        """Multiply-adds of each network [n]; equal to `search_spaces.cost(arch).macs`."""
        return self._sum("macs")

    def params(self) -> Ints:
        """Parameters of each network [n]; equal to `search_spaces.cost(arch).params`."""
        return self._sum("params")

    def activations(self) -> Ints:
        """Activations of each network [n]; equal to `search_spaces.cost(arch).activations`."""
        return self._sum("activations")

    def _sum(self, unit: str) -> Ints:
        base, side = self.baseline, self.resolution
        stem = _gather(lambda _, channels: _stem(base, channels, unit), np.zeros_like(side), self.channels[:, 0])
        result, side = _at(stem, side, base.stem_stride)
        side = -(-side // base.stem_pool)
        for index, stage in enumerate(base.stages):
            given, wide = self.channels[:, index], self.channels[:, index + 1]
            first = _gather(partial(_first_layer, stage, unit), given, wide)
            again = _gather(partial(_later_layer, stage, unit), np.zeros_like(wide), wide)
            spent, side = _at(first, side, stage.stride)
            result = result + spent + (self.layers[:, index] - 1) * _at(again, side, 1)[0]
        given = self.channels[:, len(base.stages)]
        wide = self.channels[:, -1] if base.head else np.zeros_like(given)
        last = _gather(lambda a, b: _head(base, a, b, unit), given, wide)
        return np.asarray(result + _at(last, side, 1)[0])


def channels_of(arch: Arch) -> tuple[int, ...]:
    """Channels of stem, stages and, if there is one, head."""
    return arch.widths


def layers_of(arch: Arch) -> tuple[int, ...]:
    """Layers of each stage."""
    return tuple(stage.layers for stage in arch.stages)


def _gather(price: Callable[[int, int], Polynomial], given: Ints, wide: Ints) -> Ints:
    """The polynomial [n, 3] of each pair of widths, computed once for each different pair."""
    if len(wide) == 1:
        return np.array([price(int(given[0]), int(wide[0]))], dtype=np.int64)
    codes, inverse = np.unique((given << 32) | wide, return_inverse=True)
    table = np.array([price(int(code) >> 32, int(code) & 0xFFFFFFFF) for code in codes], dtype=np.int64)
    return np.asarray(table[inverse.reshape(-1)])


def _at(polynomials: Ints, side: Ints, stride: int) -> tuple[Ints, Ints]:
    """The cost at an input of `side` pixels, and the output's side."""
    out = -(-side // stride)
    return np.asarray(polynomials[:, 0] * side**2 + polynomials[:, 1] * out**2 + polynomials[:, 2]), out


def _first_layer(stage: Stage, unit: str, given: int, channels: int) -> Polynomial:
    return _layer(stage, channels, given, stage.stride, unit)


def _later_layer(stage: Stage, unit: str, _: int, channels: int) -> Polynomial:
    return _layer(stage, channels, channels, 1, unit)


@lru_cache(maxsize=1 << 16)
def _layer(stage: Stage, channels: int, given: int, stride: int, unit: str) -> Polynomial:
    """The cost of one layer of the stage with the given numbers of channels."""
    side, one = _PROBE * stride, dataclasses.replace(stage, channels=channels, layers=1)
    return _polynomial(stage_layer(one, Context("", given, side, stride, "relu")).layers, side, unit)


@lru_cache(maxsize=1 << 12)
def _stem(baseline: Arch, channels: int, unit: str) -> Polynomial:
    side = _PROBE * baseline.stem_stride
    return _polynomial(stem_block(baseline.replace(stem=channels, resolution=side)).layers, side, unit)


@lru_cache(maxsize=1 << 14)
def _head(baseline: Arch, given: int, channels: int, unit: str) -> Polynomial:
    blocks, classifier = head_blocks(baseline.replace(head=channels), given, _PROBE)
    layers = [layer for block in blocks for layer in block.layers]
    return _polynomial([*layers, *classifier.layers], _PROBE, unit)


def _polynomial(layers: Sequence[Layer], side: int, unit: str) -> Polynomial:
    """The sum over layers; each cost scales with the layer's map: the input's size, the output's or one pixel."""
    shares = dict.fromkeys((side, _PROBE, 1), 0)
    for layer in layers:
        size = 1 if unit == "params" else layer.out_size
        # A layer without cost, such as a stem's pooling, may have another size.
        if spent := getattr(total((layer,)), unit):
            shares[size] += spent // size**2
    return (shares[side] if side != _PROBE else 0, shares[_PROBE], shares[1])

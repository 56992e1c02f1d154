"""Tables of the costs of every stage of a staged space. They add up the costs of millions of encodings a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.trellis import Ints
from search_spaces.networks.arch import Arch
from search_spaces.networks.layers import head_blocks, stage_blocks, stem_block
from search_spaces.spaces.stage_choices import CHOICES, StageChoices, cost_array, stage_costs

FILTERS, OPTIONS = CHOICES.index("filters"), [column for column, name in enumerate(CHOICES) if name != "filters"]
# Encodings in a chunk, so that intermediate arrays stay in the cache.
CHUNK = 8192


class CostTables:
    """Tables of the stages' costs, [3, in, out, option] each: params, macs, activations.

    The stem's costs are in the first stage's table, the head's in the last one's. The tables are also kept
    concatenated, [3, entries].
    """

    def __init__(self, stages: Sequence[StageChoices], reference: Arch) -> None:
        self.stages: list[Ints] = _tables(stages, reference)
        self._entries = np.concatenate([table.reshape(3, -1) for table in self.stages], axis=1)
        sizes = [table[0].size for table in self.stages]
        self._begins = np.cumsum([0, *sizes[:-1]])[:, None]
        self._strides = np.stack([self._strides_of(index, stage) for index, stage in enumerate(stages)])

    def sums(self, rows: NDArray[np.integer]) -> Ints:
        """Costs [3, n] of the networks of encodings [n, k]."""
        found = np.zeros((3, len(rows)), dtype=np.int64)
        for begin in range(0, len(rows), CHUNK):
            places = self._places(rows[begin : begin + CHUNK])
            for column, entries in zip(found, self._entries, strict=True):
                for stage_places in places:
                    column[begin : begin + CHUNK] += entries[stage_places]
        return found

    def _places(self, rows: NDArray[np.integer]) -> NDArray[np.intp]:
        """The index of each stage's costs among the entries, [stages, n]."""
        # A product of small whole numbers is exact in floating point, and faster there.
        places = self._strides @ rows.T.astype(np.float64)
        found: NDArray[np.intp] = places.astype(np.intp) + self._begins
        return found

    def _strides_of(self, index: int, stage: StageChoices) -> NDArray[np.float64]:
        """What each position of an encoding adds to the index in a stage's table, [k]."""
        _, _, targets, options = self.stages[index].shape
        radices = [len(stage.values[CHOICES[column]]) for column in OPTIONS]
        strides = np.zeros((len(self.stages), len(CHOICES)))
        strides[index, OPTIONS] = [np.prod(radices[place + 1 :]) for place in range(len(radices))]
        strides[index, FILTERS] = options
        if index:
            strides[index - 1, FILTERS] = targets * options
        return strides.reshape(-1)


def entering(stages: Sequence[StageChoices], reference: Arch) -> tuple[tuple[int, ...], ...]:
    """The numbers of channels that may enter each stage."""
    return ((reference.stem,), *(stage.channels for stage in stages[:-1]))


def _tables(stages: Sequence[StageChoices], reference: Arch) -> list[Ints]:
    stem = stem_block(reference)
    size, tables = stem.out_size, []
    for stage, (row, channels), all_channels in zip(
        stages, reference.inputs(), entering(stages, reference), strict=True
    ):
        tables.append(stage_costs(stage, all_channels, size, reference.activation))
        *_, last = stage_blocks(row, channels, size, reference.activation, "")
        size = last.out_size
    tables[0] += cost_array(stem.layers)[:, None, None, None]
    for target, channels in enumerate(stages[-1].channels):
        head, classifier = head_blocks(reference, channels, size)
        layers = [layer for block in head for layer in block.layers]
        tables[-1][:, :, target] += cost_array([*layers, *classifier.layers])[:, None, None]
    return tables

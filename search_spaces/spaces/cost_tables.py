"""Tables of the metrics of every stage of a staged space. They add up millions of networks a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.trellis import Ints
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch
from search_spaces.networks.layers import head_blocks, stage_blocks, stem_block
from search_spaces.spaces.space import COUNTS
from search_spaces.spaces.stage_choices import CHOICES, StageChoices, section_parts, stage_parts

FILTERS, OPTIONS = CHOICES.index("filters"), [column for column, name in enumerate(CHOICES) if name != "filters"]
# Encodings in a chunk, so that intermediate arrays stay in the cache.
CHUNK = 8192


class MetricTable(NamedTuple):
    """A metric's values for every stage, [in, out, option] each.

    The stem's are in the first stage's table, the head's and the classifier's in the last one's.

    sums   add up to the network's value, or to the part of a peak metric that is held all the time
    peaks  of a peak metric, what the stage needs beside that: the largest counts; None for an additive metric
    """

    sums: tuple[Ints, ...]
    peaks: tuple[Ints, ...] | None


class CostTables:
    """Tables of the stages' metrics, made when a metric is first asked for."""

    def __init__(self, stages: Sequence[StageChoices], reference: Arch) -> None:
        self._choices, self._reference = stages, reference
        self._tables: dict[str, MetricTable] = {}
        # The tables of all stages in sequence, [entries]: sums, and peaks where there are some.
        self._entries: dict[str, tuple[Ints, Ints | None]] = {}
        shapes = [
            (len(given), len(stage.channels), len(stage.options))
            for stage, given in zip(stages, entering(stages, reference), strict=True)
        ]
        self._begins = np.cumsum([0, *(math.prod(shape) for shape in shapes[:-1])])[:, None]
        self._strides = np.stack([self._strides_of(index, shape[1:]) for index, shape in enumerate(shapes)])

    def table(self, name: str) -> MetricTable:
        """The table of a metric that is additive or a peak. Raises ValueError as `METRICS.row` and its code do."""
        self._make([name])
        return self._tables[name]

    def values(self, rows: NDArray[np.integer], names: Sequence[str]) -> Ints:
        """The values [metrics, n] of some metrics for the networks of encodings [n, k]."""
        self._make(names)
        found = np.zeros((len(names), len(rows)), dtype=np.int64)
        for begin in range(0, len(rows), CHUNK):
            places = self._places(rows[begin : begin + CHUNK])
            for column, name in zip(found, names, strict=True):
                sums, peaks = self._entries[name]
                part = column[begin : begin + CHUNK]
                for stage_places in places:
                    part += sums[stage_places]
                if peaks is not None:
                    part += np.max([peaks[stage_places] for stage_places in places], axis=0)
        return found

    def _make(self, names: Sequence[str]) -> None:
        # Counts are wanted together nearly always, and a walk takes longer than what it adds up.
        wanted = dict.fromkeys([*names, *(COUNTS if {*names} & {*COUNTS} else ())])
        missing = [name for name in wanted if name not in self._tables]
        if not missing:
            return
        for name, table in zip(missing, _tables(self._choices, self._reference, missing), strict=True):
            self._tables[name] = table
            self._entries[name] = _flat(table.sums), None if table.peaks is None else _flat(table.peaks)

    def _places(self, rows: NDArray[np.integer]) -> NDArray[np.intp]:
        """The index of each stage's costs among the entries, [stages, n]."""
        # A product of small whole numbers is exact in floating point, and faster there.
        places = self._strides @ rows.T.astype(np.float64)
        found: NDArray[np.intp] = places.astype(np.intp) + self._begins
        return found

    def _strides_of(self, index: int, shape: tuple[int, int]) -> NDArray[np.float64]:
        """What each position of an encoding adds to the index in a stage's table, [k]; `shape` is (out, option)."""
        targets, options = shape
        radices = [len(self._choices[index].values[CHOICES[column]]) for column in OPTIONS]
        strides = np.zeros((len(self._choices), len(CHOICES)))
        strides[index, OPTIONS] = [np.prod(radices[place + 1 :]) for place in range(len(radices))]
        strides[index, FILTERS] = options
        if index:
            strides[index - 1, FILTERS] = targets * options
        return strides.reshape(-1)


def entering(stages: Sequence[StageChoices], reference: Arch) -> tuple[tuple[int, ...], ...]:
    """The numbers of channels that may enter each stage."""
    return ((reference.stem,), *(stage.channels for stage in stages[:-1]))


def _flat(tables: Sequence[Ints]) -> Ints:
    return np.concatenate([table.reshape(-1) for table in tables])


def _tables(stages: Sequence[StageChoices], reference: Arch, names: Sequence[str]) -> list[MetricTable]:
    """The tables of some metrics, from one walk over all options."""
    metrics = [METRICS.row(name) for name in names]
    stem = stem_block(reference)
    size = stem.out_size
    found = []
    for stage, (row, channels), given in zip(stages, reference.inputs(), entering(stages, reference), strict=True):
        found.append(stage_parts(stage, given, size, reference.activation, metrics))
        *_, last = stage_blocks(row, channels, size, reference.activation, "")
        size = last.out_size
    _join(found[0], section_parts([(stem,)], metrics)[..., None, None, None])
    for target, channels in enumerate(stages[-1].channels):
        head, classifier = head_blocks(reference, channels, size)
        ends = section_parts([*((block,) for block in head), (classifier,)], metrics)
        _join(found[-1][:, :, :, target], ends[..., None, None])
    return [
        MetricTable(
            tuple(parts[index, 0] for parts in found),
            tuple(parts[index, 1] for parts in found) if metric.kind == "peak" else None,
        )
        for index, metric in enumerate(metrics)
    ]


def _join(parts: Ints, others: Ints) -> None:
    """Add a neighbouring section to a stage's parts [metrics, (held, peak), ...] in place."""
    parts[:, 0] += others[:, 0]
    np.maximum(parts[:, 1], others[:, 1], out=parts[:, 1])

"""Spaces whose networks are chains of stages: costs from tables, counts and samples in a band without enumeration."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.counting.band import Band, Count, Of, check_of, whole_band
from search_spaces.counting.count import count_in_band
from search_spaces.counting.sampling import EmptyBandError, PathSampler
from search_spaces.counting.trellis import Trellis
from search_spaces.networks.arch import Arch
from search_spaces.networks.layers import head_blocks, stage_blocks, stem_block
from search_spaces.spaces.space import Choice, Costs, Ints, Space
from search_spaces.spaces.stage_choices import CHOICES, StageChoices, cost_array, representatives, stage_costs

CHUNK = 8192  # encodings whose intermediate arrays stay in the cache
FILTERS, OPTIONS = CHOICES.index("filters"), [column for column, name in enumerate(CHOICES) if name != "filters"]
BANDS = 8  # whose samplers are kept


class StagedSpace(Space):
    """A space of networks that share stem, head, strides and resolution, and choose each stage on its own.

    `reference` is the network that gives what is not chosen; its own stages only say how many there are.
    The choices are "stage1.op", "stage1.kernel" and so on in the order of the stages (see `StageChoices`).
    Raises ValueError where the reference has other strides.
    """

    def __init__(self, name: str, stages: Sequence[StageChoices], reference: Arch) -> None:
        strides = [[stage.stride for stage in rows] for rows in (stages, reference.stages)]
        if strides[0] != strides[1]:
            raise ValueError(f"space {name} has strides {strides[0]}, its reference {strides[1]}: they must agree")
        self.stages, self.reference = tuple(stages), reference
        choices = {f"stage{i}.{key}": v for i, s in enumerate(stages, start=1) for key, v in s.values.items()}
        super().__init__(name, choices, self._network)
        self._trellis = cache(self._build_trellis)
        self._sampler = lru_cache(BANDS)(self._build_sampler)
        self._counted = lru_cache(BANDS)(self._count_band)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.stages, self.reference)

    def _network(self, choice: Choice) -> Arch:
        rows = (
            stages.stage({key: choice[f"stage{i}.{key}"] for key in CHOICES})
            for i, stages in enumerate(self.stages, start=1)
        )
        return self.reference.replace(stages=tuple(rows), name="")

    @property
    def title(self) -> str:
        return f"space {self.name} at {self.reference.resolution} px"

    @property
    def networks(self) -> int:
        return self._trellis("networks").size

    @property
    def macs_range(self) -> Band:
        return self._trellis("encodings").range

    def costs(self, encodings: ArrayLike) -> Costs:
        """The costs of the networks of encodings [n, k], equal to the layer walk's, millions a second."""
        rows = np.atleast_2d(np.asarray(encodings))
        sums = np.zeros((3, len(rows)), dtype=np.int64)
        for begin in range(0, len(rows), CHUNK):
            entries = self._entries(self._rows(rows[begin : begin + CHUNK]))
            for column, table in zip(sums, self._cost_entries, strict=True):
                for stage_entries in entries:
                    column[begin : begin + CHUNK] += table[stage_entries]
        return Costs(*sums)

    def inside(self, encodings: ArrayLike, macs: Band) -> NDArray[np.bool_]:
        """As `Space.inside`, for a space of any size."""
        low, high = whole_band(macs)
        spent = self.costs(encodings).macs
        return (low <= spent) & (spent <= high)

    def canonical(self, encodings: ArrayLike) -> Ints:
        """The canonical encodings of encodings [n, k] or [k]: equal exactly where the networks are the same."""
        rows = self._rows(encodings).astype(np.int64).reshape(-1, len(self.stages), len(CHOICES))
        source = np.zeros(len(rows), dtype=np.int64)
        for index, stage in enumerate(self.stages):
            target = np.array([stage.channels.index(channels) for channels in stage.channels])[rows[:, index, FILTERS]]
            option = np.ravel_multi_index(tuple(rows[:, index, OPTIONS].T), self._option_radices(index))
            first = self._representatives[index][source, target, option]
            rows[:, index, FILTERS] = source = target
            rows[:, index, OPTIONS] = np.transpose(np.unravel_index(first, self._option_radices(index)))
        return rows.reshape(np.shape(encodings))

    def count(self, *, macs: Band | None = None, of: Of = "encodings") -> Count:
        """As `Space.count`; in a band the count has rigorous bounds, no wider than 0.1 % and often equal."""
        check_of(of)
        if macs is None:
            return Count(self._trellis(of).size, self._trellis(of).size, of)
        return self._counted(whole_band(macs), of)

    def sample(self, rng: np.random.Generator, n: int, *, macs: Band | None = None, of: Of = "encodings") -> Ints:
        """As `Space.sample`, from a space of any size."""
        check_of(of)
        if macs is None and of == "encodings":
            return super().sample(rng, n)
        try:
            states, options = self._sampler(macs and whole_band(macs), of).draw(rng, n)
        except EmptyBandError:
            raise self._no_network(macs) from None
        rows = np.empty((n, len(self.stages), len(CHOICES)), dtype=np.int64)
        rows[:, :, FILTERS] = states
        for index in range(len(self.stages)):
            rows[:, index, OPTIONS] = np.transpose(np.unravel_index(options[:, index], self._option_radices(index)))
        return rows.reshape(n, len(self.radices))

    def find(self, arch: Arch) -> Ints | None:
        """An encoding [k] of a network, or None where the space does not hold it."""
        if arch.replace(stages=self.reference.stages, name="") != self.reference.replace(name=""):
            return None
        if len(arch.stages) != len(self.stages):
            return None
        found: list[Ints] = []
        for index, (row, in_channels) in enumerate(arch.inputs()):
            position = self.stages[index].find(row, in_channels)
            if position is None:
                return None
            found.append(position)
        return self.canonical(np.concatenate(found))

    def contains(self, arch: Arch) -> bool:
        """Whether some encoding is this network."""
        return self.find(arch) is not None

    def _entries(self, rows: NDArray[np.integer]) -> NDArray[np.intp]:
        """Where each stage's costs stand among `_cost_entries`, [stages, n], for encodings [n, k]."""
        # A product of small whole numbers is exact in floating point, where it is fast.
        entries = self._index_weights @ rows.T.astype(np.float64)
        return entries.astype(np.intp) + self._index_offsets[:, None]

    def _option_radices(self, index: int) -> tuple[int, ...]:
        radices = self.radices[index * len(CHOICES) : (index + 1) * len(CHOICES)]
        return tuple(radices[column] for column in OPTIONS)

    @cached_property
    def _in_channels(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of channels that may enter each stage."""
        return ((self.reference.stem,), *(stage.channels for stage in self.stages[:-1]))

    @cached_property
    def _stage_costs(self) -> list[Ints]:
        """Costs [3, in, out, option] of each stage, the stem's added to the first's and the head's to the last's."""
        stem = stem_block(self.reference)
        size, tables = stem.out_size, []
        for stage, (row, entering), in_channels in zip(
            self.stages, self.reference.inputs(), self._in_channels, strict=True
        ):
            tables.append(stage_costs(stage, in_channels, size, self.reference.activation))
            *_, last = stage_blocks(row, entering, size, self.reference.activation, "")
            size = last.out_size
        tables[0] += cost_array(stem.layers)[:, None, None, None]
        for target, channels in enumerate(self.stages[-1].channels):
            head, classifier = head_blocks(self.reference, channels, size)
            layers = [layer for block in head for layer in block.layers]
            tables[-1][:, :, target] += cost_array([*layers, *classifier.layers])[:, None, None]
        return tables

    @cached_property
    def _cost_entries(self) -> Ints:
        """All stages' tables one behind the other, [3, entries]."""
        return np.concatenate([table.reshape(3, -1) for table in self._stage_costs], axis=1)

    @cached_property
    def _index_offsets(self) -> Ints:
        """Where each stage's table begins among the entries."""
        sizes = [table[0].size for table in self._stage_costs]
        return np.cumsum([0, *sizes[:-1]])

    @cached_property
    def _index_weights(self) -> NDArray[np.float64]:
        """What each choice adds to the position in each stage's table, [stages, k]."""
        weights = np.zeros((len(self.stages), len(self.stages), len(CHOICES)))
        for index, table in enumerate(self._stage_costs):
            _, _, targets, options = table.shape
            radices = self._option_radices(index)
            weights[index, index, OPTIONS] = [np.prod(radices[place + 1 :]) for place in range(len(radices))]
            weights[index, index, FILTERS] = options
            if index:
                weights[index, index - 1, FILTERS] = targets * options
        return weights.reshape(len(self.stages), -1)

    @cached_property
    def _representatives(self) -> list[Ints]:
        return [representatives(*pair) for pair in zip(self.stages, self._in_channels, strict=True)]

    def _build_trellis(self, of: Of) -> Trellis:
        macs = tuple(table[1] for table in self._stage_costs)
        if of == "encodings":
            return Trellis(macs, tuple(np.ones(table.shape, dtype=bool) for table in macs))
        return Trellis(macs, tuple(self._firsts(index) for index in range(len(macs))))

    def _firsts(self, index: int) -> NDArray[np.bool_]:
        """Which of a stage's [in, out, option] stand for a network: the first of those that are the same."""
        table = self._representatives[index]
        first: NDArray[np.bool_] = table == np.arange(table.shape[2])
        for axis, channels in enumerate((self._in_channels[index], self.stages[index].channels)):
            repeated = [place for place, number in enumerate(channels) if channels.index(number) != place]
            first[(slice(None),) * axis + (repeated,)] = False
        return first

    def _build_sampler(self, macs: Band | None, of: Of) -> PathSampler:
        return PathSampler(self._trellis(of), macs)

    def _count_band(self, macs: Band, of: Of) -> Count:
        return Count(*count_in_band(self._trellis(of), macs), of)

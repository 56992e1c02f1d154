"""Spaces whose networks are chains of stages: costs from tables, counts and samples in a band without enumeration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.counting.band import Band, Count, Of, check_of, whole_band
from search_spaces.counting.count import count_in_band
from search_spaces.counting.sampling import EmptyBandError, PathSampler
from search_spaces.counting.trellis import Trellis
from search_spaces.networks.arch import Arch
from search_spaces.spaces.cost_tables import FILTERS, OPTIONS, CostTables, entering
from search_spaces.spaces.space import Choice, Costs, Ints, Space
from search_spaces.spaces.stage_choices import CHOICES, StageChoices, representatives

Key = TypeVar("Key")
Value = TypeVar("Value")
# Largest number of bands whose samplers and counts are cached.
MAX_BANDS = 8


class StagedSpace(Space):
    """A space of networks that share stem, head, strides and resolution, and choose each stage on its own.

    `reference` gives everything that is not chosen; of its stages only the number and the strides matter.
    The choices are "stage1.op", "stage1.kernel" and so on in the order of the stages (see `StageChoices`).
    Raises ValueError if the reference has other strides.
    """

    def __init__(self, name: str, stages: Sequence[StageChoices], reference: Arch) -> None:
        strides = [[stage.stride for stage in rows] for rows in (stages, reference.stages)]
        if strides[0] != strides[1]:
            raise ValueError(f"space {name} has strides {strides[0]}, its reference {strides[1]}: they must agree")
        self.stages, self.reference = tuple(stages), reference
        choices = {f"stage{i}.{key}": v for i, s in enumerate(stages, start=1) for key, v in s.values.items()}
        super().__init__(name, choices, self._network)
        self._trellises: dict[Of, Trellis] = {}
        self._samplers: dict[tuple[Band | None, Of], PathSampler] = {}
        self._counts: dict[tuple[Band, Of], Count] = {}

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
        """The costs of the networks of encodings [n, k], equal to the walk's, for millions of encodings a second."""
        return Costs(*self._tables.sums(self._rows(np.atleast_2d(np.asarray(encodings)))))

    def inside(self, encodings: ArrayLike, macs: Band) -> NDArray[np.bool_]:
        """As `Space.inside`, for a space of any size."""
        low, high = whole_band(macs)
        spent = self.costs(encodings).macs
        return (low <= spent) & (spent <= high)

    def canonical(self, encodings: ArrayLike) -> Ints:
        """The canonical encodings of encodings [n, k] or [k]: equal if and only if the networks are the same."""
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
        """An encoding [k] of a network, or None if the space does not hold it."""
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

    def _option_radices(self, index: int) -> tuple[int, ...]:
        radices = self.radices[index * len(CHOICES) : (index + 1) * len(CHOICES)]
        return tuple(radices[column] for column in OPTIONS)

    @cached_property
    def _tables(self) -> CostTables:
        return CostTables(self.stages, self.reference)

    @cached_property
    def _entering(self) -> tuple[tuple[int, ...], ...]:
        return entering(self.stages, self.reference)

    @cached_property
    def _representatives(self) -> list[Ints]:
        return [representatives(*pair) for pair in zip(self.stages, self._entering, strict=True)]

    def _trellis(self, of: Of) -> Trellis:
        if of not in self._trellises:
            macs = tuple(table[1] for table in self._tables.stages)
            allowed = (
                np.ones(table.shape, dtype=bool) if of == "encodings" else self._firsts(index)
                for index, table in enumerate(macs)
            )
            self._trellises[of] = Trellis(macs, tuple(allowed))
        return self._trellises[of]

    def _firsts(self, index: int) -> NDArray[np.bool_]:
        """Which of a stage's [in, out, option] represent a network: the first of all equal ones."""
        table = self._representatives[index]
        first: NDArray[np.bool_] = table == np.arange(table.shape[2])
        for axis, channels in enumerate((self._entering[index], self.stages[index].channels)):
            repeated = [place for place, number in enumerate(channels) if channels.index(number) != place]
            first[(slice(None),) * axis + (repeated,)] = False
        return first

    def _sampler(self, macs: Band | None, of: Of) -> PathSampler:
        return _kept(self._samplers, (macs, of), lambda: PathSampler(self._trellis(of), macs))

    def _counted(self, macs: Band, of: Of) -> Count:
        return _kept(self._counts, (macs, of), lambda: Count(*count_in_band(self._trellis(of), macs), of))


def _kept(known: dict[Key, Value], key: Key, make: Callable[[], Value]) -> Value:
    """The cached value of the key, made if there is none. The oldest entry is dropped if there are too many."""
    if key not in known:
        if len(known) >= MAX_BANDS:
            del known[next(iter(known))]
        known[key] = make()
    return known[key]

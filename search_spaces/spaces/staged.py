"""Spaces whose networks are chains of stages: costs from tables, counts and samples in a band without enumeration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.counting.band import Band, Count, Of
from search_spaces.counting.count import count_in_band
from search_spaces.counting.peaks import peak_range, within_peak
from search_spaces.counting.region import Constraint, EmptyRegionError, Region
from search_spaces.counting.sampling import EmptyBandError, PathSampler
from search_spaces.counting.trellis import Trellis
from search_spaces.metrics.registry import METRICS, Conditions
from search_spaces.networks.arch import Arch
from search_spaces.spaces.cost_tables import FILTERS, OPTIONS, CostTables, entering
from search_spaces.spaces.space import COUNTS, Bools, Choice, Costs, Ints, Reach, Space
from search_spaces.spaces.stage_choices import CHOICES, StageChoices, representatives

Key = TypeVar("Key")
Value = TypeVar("Value")
BoundsKey = tuple[tuple[tuple[str, Band], ...], Of]
# Largest number of bands whose samplers and counts are cached.
MAX_BANDS = 8
# Networks drawn in a row without one within the bands, before there is said to be none: those whose metrics come from
# tables, about 10 s, and the others, about half a minute.
MAX_REJECTIONS, MAX_SLOW_REJECTIONS = 2_000_000, 20_000
DRAWN_FOR_REACH = 300


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
        self._trellises: dict[tuple[str, Of], Trellis] = {}
        self._samplers: dict[BoundsKey, PathSampler | Region] = {}
        self._counts: dict[BoundsKey, Count] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.stages, self.reference), {"conditions": self.conditions}

    def under(self, conditions: Conditions) -> Self:
        """As `Space.under`; the tables, which do not depend on the conditions, are shared."""
        self._tables  # noqa: B018 - made here, so that both have the same
        other = super().under(conditions)
        other._samplers, other._counts = {}, {}
        return other

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
        return self._trellis("macs", "networks").size

    def reach(self, metric: str) -> Reach:
        """As `Space.reach`; for a metric that is neither additive nor a peak, of some networks drawn uniformly."""
        row = METRICS.row(metric)
        if not row.is_tabulated:
            drawn = self.values(self.sample(np.random.default_rng(0), DRAWN_FOR_REACH), metric)
            return Reach(int(drawn.min()), int(drawn.max()), exact=False)
        if row.kind == "additive":
            return Reach(*self._trellis(metric, "encodings").range)
        sums, peaks = self._tables.table(metric)
        assert peaks is not None
        return Reach(*peak_range(sums, peaks))

    def costs(self, encodings: ArrayLike) -> Costs:
        """The costs of the networks of encodings [n, k], equal to the walk's, for millions of encodings a second."""
        return Costs(*self._tables.values(self._rows(np.atleast_2d(np.asarray(encodings))), COUNTS))

    def values(self, encodings: ArrayLike, metric: str) -> Ints:
        """As `Space.values`; an additive or a peak metric takes a second for millions of encodings."""
        if not METRICS.row(metric).is_tabulated:
            return super().values(encodings, metric)
        (values,) = self._tables.values(self._rows(np.atleast_2d(np.asarray(encodings))), [metric])
        return np.asarray(values)

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

    def _trellis(self, metric: str, of: Of) -> Trellis:
        """The paths of all encodings or networks, with the sums of a metric."""
        if (metric, of) not in self._trellises:
            sums = self._tables.table(metric).sums
            self._trellises[metric, of] = Trellis(sums, self._allowed(of))
        return self._trellises[metric, of]

    def _allowed(self, of: Of) -> tuple[Bools, ...]:
        if of == "networks":
            return self._network_steps
        return tuple(np.ones(table.shape, dtype=bool) for table in self._representatives)

    @cached_property
    def _network_steps(self) -> tuple[Bools, ...]:
        return tuple(self._firsts(index) for index in range(len(self.stages)))

    def _firsts(self, index: int) -> NDArray[np.bool_]:
        """Which of a stage's [in, out, option] represent a network: the first of all equal ones."""
        table = self._representatives[index]
        first: NDArray[np.bool_] = table == np.arange(table.shape[2])
        for axis, channels in enumerate((self._entering[index], self.stages[index].channels)):
            repeated = [place for place, number in enumerate(channels) if channels.index(number) != place]
            first[(slice(None),) * axis + (repeated,)] = False
        return first

    def _encodings(self, states: Ints, options: Ints) -> Ints:
        """The encodings [n, k] of paths, given by out-states and options [n, stages]."""
        rows = np.empty((len(states), len(self.stages), len(CHOICES)), dtype=np.int64)
        rows[:, :, FILTERS] = states
        for index in range(len(self.stages)):
            rows[:, index, OPTIONS] = np.transpose(np.unravel_index(options[:, index], self._option_radices(index)))
        return rows.reshape(len(states), len(self.radices))

    def _inside(self, rows: NDArray[np.integer], bounds: Mapping[str, Band]) -> Bools:
        inside = np.ones(len(rows), dtype=bool)
        # Metrics from tables first: the others take a millisecond for each network that is left.
        for metric in sorted(bounds, key=lambda name: not METRICS.row(name).is_tabulated):
            low, high = bounds[metric]
            values = self.values(rows[inside], metric)
            inside[inside] = (low <= values) & (values <= high)
        return inside

    def _sampler(self, bounds: Mapping[str, Band], of: Of) -> PathSampler | Region:
        return _kept(self._samplers, (tuple(bounds.items()), of), lambda: self._new_sampler(bounds, of))

    def _new_sampler(self, bounds: Mapping[str, Band], of: Of) -> PathSampler | Region:
        if not bounds:
            return PathSampler(self._trellis("macs", of), None)
        if (metric := _only_additive(bounds)) is not None:
            return PathSampler(self._trellis(metric, of), bounds[metric])
        return self._region(bounds, of)

    def _region(self, bounds: Mapping[str, Band], of: Of) -> Region:
        """The region of several metrics, or of one that is not additive."""
        allowed, constraints = self._allowed(of), list[Constraint]()
        for metric, band in bounds.items():
            row = METRICS.row(metric)
            if not row.is_tabulated:
                continue
            sums, peaks = self._tables.table(metric)
            of_sums = band
            if peaks is not None:
                allowed, of_sums = within_peak(sums, peaks, allowed, band)
            constraints.append(Constraint(sums, of_sums))
        tabulated = all(METRICS.row(metric).is_tabulated for metric in bounds)
        return Region(
            allowed,
            constraints,
            lambda states, options: self._inside(self._encodings(states, options), bounds),
            MAX_REJECTIONS if tabulated else MAX_SLOW_REJECTIONS,
        )

    def _drawn(self, rng: np.random.Generator, n: int, bounds: Mapping[str, Band], of: Of) -> Ints:
        try:
            states, options = self._sampler(bounds, of).draw(rng, n)
        except (EmptyBandError, EmptyRegionError):
            raise self._no_network(bounds) from None
        return self._encodings(states, options)

    def _counted(self, bounds: Mapping[str, Band], of: Of) -> Count:
        return _kept(self._counts, (tuple(bounds.items()), of), lambda: self._new_count(bounds, of))

    def _new_count(self, bounds: Mapping[str, Band], of: Of) -> Count:
        if (metric := _only_additive(bounds)) is not None:
            return Count(*count_in_band(self._trellis(metric, of), bounds[metric]), of)
        try:
            region = self._sampler(bounds, of)
        except EmptyRegionError:
            return Count(0, 0, of)
        assert isinstance(region, Region)
        return Count(*region.count(np.random.default_rng(0)), of, estimated=True)


def _only_additive(bounds: Mapping[str, Band]) -> str | None:
    """The metric, if only one has a band and is additive."""
    metric = next(iter(bounds)) if len(bounds) == 1 else None
    return metric if metric is not None and METRICS.row(metric).kind == "additive" else None


def _kept(known: dict[Key, Value], key: Key, make: Callable[[], Value]) -> Value:
    """The cached value of the key, made if there is none. The oldest entry is dropped if there are too many."""
    if key not in known:
        if len(known) >= MAX_BANDS:
            del known[next(iter(known))]
        known[key] = make()
    return known[key]

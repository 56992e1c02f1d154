"""Dynamic programming over a trellis whose costs are rounded to bins: the number of paths that end in each bin."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import Band
from search_spaces.counting.trellis import Ints, Trellis

Counts = NDArray[Any]  # int64 or float64, see Bins
CACHED_BINS = 1 << 14  # bins that stay in the cache while all steps are added to them


@dataclass(frozen=True, eq=False)
class Bins:
    """A trellis whose costs are rounded down to bins of `width`, so that paths are counted by their sum of bins.

    A path in bin s costs at least offset + width * s and at most `slack` more. Counts are int64 if all paths fit;
    otherwise they are float64, and `rounding` bounds their relative error.
    """

    trellis: Trellis
    width: int

    @cached_property
    def offset(self) -> int:
        return sum(self._min_costs)

    @cached_property
    def _min_costs(self) -> list[int]:
        return [int(c[a].min()) for c, a in zip(self.trellis.costs, self.trellis.allowed, strict=True)]

    @cached_property
    def bins(self) -> tuple[Ints, ...]:
        """The bins each step adds, [in, out, option] for each stage."""
        return tuple((c - low) // self.width for c, low in zip(self.trellis.costs, self._min_costs, strict=True))

    @cached_property
    def slack(self) -> int:
        rest = [(c - low) % self.width for c, low in zip(self.trellis.costs, self._min_costs, strict=True)]
        return sum(int(r[a].max()) for r, a in zip(rest, self.trellis.allowed, strict=True))

    @cached_property
    def most(self) -> list[int]:
        """The most bins a step of each stage adds."""
        return [int(b[a].max()) for b, a in zip(self.bins, self.trellis.allowed, strict=True)]

    @cached_property
    def dtype(self) -> type:
        return np.int64 if self.trellis.size < 2**63 else np.float64

    @cached_property
    def rounding(self) -> float:
        """Bound of a float64 count's relative error: one unit in the last place for each addition."""
        return sum(2.0 * a.size for a in self.trellis.allowed) * float(np.finfo(np.float64).eps)

    def window(self, band: Band) -> tuple[int, int]:
        """The first and last bin that may hold paths of the band."""
        low, high = band
        return max(0, -((self.offset + self.slack - low) // self.width)), (high - self.offset) // self.width

    def count(self, band: Band) -> tuple[int, int]:
        """Bounds of the number of paths in the band: bins wholly inside it, and bins that reach into it."""
        low, high = band
        first, last = self.window(band)
        *_, (start, ends) = self.forward(first, last)
        by_bin = ends.sum(axis=0)
        inner_first = max(0, -((self.offset - low) // self.width))
        inner_last = (high - self.offset - self.slack) // self.width
        inner = by_bin[max(inner_first - start, 0) : max(inner_last + 1 - start, 0)].sum()
        outer = by_bin[max(first - start, 0) :].sum()
        if self.dtype is np.int64:
            return int(inner), int(outer)
        error = self.rounding + by_bin.size * float(np.finfo(np.float64).eps)
        return math.floor(inner * (1 - error)), math.ceil(outer * (1 + error))

    def forward(self, first: int, last: int) -> Iterator[tuple[int, Counts]]:
        """After each stage: a first bin, and from it on the number of partial paths [state, bin].

        Only partial paths that can still end in the bins first..last are kept.
        """
        start = 0
        counts: Counts = np.ones((1, 1), dtype=self.dtype)
        for stage in range(len(self.bins)):
            to_come = sum(self.most[stage + 1 :])
            end = min(last, start + counts.shape[1] - 1 + self.most[stage])
            begin = min(max(start, first - to_come), end + 1)
            counts = self._advance(stage, counts, begin - start, end + 1 - begin)
            start = begin
            yield start, counts

    def _advance(self, stage: int, before: Counts, shift: int, size: int) -> Counts:
        """Partial paths one stage further: `size` bins, the first of them `shift` bins behind the first of `before`."""
        after: Counts = np.zeros((self.bins[stage].shape[1], size), dtype=self.dtype)
        for target, groups in enumerate(self._steps(stage)):
            for begin in range(0, size, CACHED_BINS):
                block = after[target, begin : begin + CACHED_BINS]
                for multiplicity, steps in groups.items():
                    sums = np.zeros_like(block)
                    for source, added in steps:
                        _add_shifted(sums, before[source], begin + shift - added)
                    block += multiplicity * sums
        return after

    def _steps(self, stage: int) -> Iterator[dict[int, list[tuple[int, int]]]]:
        """For each out-state the steps (in-state, bins added), grouped by how many options make the same step."""
        bins, allowed = self.bins[stage], self.trellis.allowed[stage]
        for target in range(bins.shape[1]):
            groups: dict[int, list[tuple[int, int]]] = {}
            for source in range(bins.shape[0]):
                added, options = np.unique(bins[source, target][allowed[source, target]], return_counts=True)
                for step, multiplicity in zip(added.tolist(), options.tolist(), strict=True):
                    groups.setdefault(multiplicity, []).append((source, step))
            yield groups


def _add_shifted(sums: Counts, values: Counts, start: int) -> None:
    """sums[j] += values[start + j] wherever both exist."""
    low, high = max(0, -start), min(len(sums), len(values) - start)
    if low < high:
        sums[low:high] += values[start + low : start + high]

"""Counting paths of a trellis exactly, by meeting in the middle: for small trellises and for narrow bands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import Band
from search_spaces.counting.trellis import Ints, Trellis

Table = tuple[Ints, NDArray[np.bool_]]  # a stage's costs and allowed steps, [from, to, option]


class Tally(NamedTuple):
    """Different costs in ascending order, and the number of paths with each."""

    costs: Ints
    paths: Ints

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Each cost with its number of paths."""
        return zip(self.costs.tolist(), self.paths.tolist(), strict=True)


def exact_count(trellis: Trellis, band: Band, limit: int) -> int | None:
    """The number of paths with a cost in the band (inclusive), or None if that would take too much memory.

    Paths are tallied from both ends, while a side's next stage takes no more than `limit` sums. The sides must then
    meet or leave one stage between them.
    """
    if trellis.size >= 2**63:
        return None
    tables = list(zip(trellis.costs, trellis.allowed, strict=True))
    heads, tables = _tally_ahead([_nothing()], tables, band[1], limit)
    ends = [_nothing() for _ in range(trellis.costs[-1].shape[1])]
    tails, tables = _tally_ahead(ends, [_reversed(table) for table in reversed(tables)], band[1], limit)
    if not tables:
        return sum(_pairs(head, tail, band) for head, tail in zip(heads, tails, strict=True))
    if len(tables) > 1:
        return None
    costs, allowed = _reversed(tables[0])
    return sum(
        options * _pairs(head, tail, (band[0] - step, band[1] - step))
        for source, head in enumerate(heads)
        for target, tail in enumerate(tails)
        for step, options in _steps(costs[source, target], allowed[source, target]).pairs()
    )


def _tally_ahead(
    tallies: list[Tally], tables: list[Table], highest: int, limit: int
) -> tuple[list[Tally], list[Table]]:
    """The tallies after as many stages as the limit allows, one for each state, and the stages that are left."""
    for index, (costs, allowed) in enumerate(tables):
        sums = sum(len(tally.costs) * np.count_nonzero(a) for tally, a in zip(tallies, allowed, strict=True))
        if sums > limit:
            return tallies, tables[index:]
        tallies = [_tally(tallies, costs[:, to], allowed[:, to], highest) for to in range(costs.shape[1])]
    return tallies, []


def _tally(before: list[Tally], costs: Ints, allowed: NDArray[np.bool_], highest: int) -> Tally:
    """One stage further, to one state: `costs` and `allowed` are [from, option]. Higher costs are left out."""
    parts = []
    for tally, row, exists in zip(before, costs, allowed, strict=True):
        steps, options = _steps(row, exists)
        parts.append(_merged(np.add.outer(tally.costs, steps), np.multiply.outer(tally.paths, options), highest))
    return _merged(np.concatenate([p.costs for p in parts]), np.concatenate([p.paths for p in parts]), highest)


def _merged(costs: Ints, paths: Ints, highest: int) -> Tally:
    costs, paths = costs.ravel(), paths.ravel()
    kept = costs <= highest
    costs, paths = costs[kept], paths[kept]
    order = np.argsort(costs)
    costs = costs[order]
    first = np.flatnonzero(np.diff(costs, prepend=-1))
    if not len(first):
        return Tally(costs, costs)
    return Tally(costs[first], np.add.reduceat(paths[order], first))


def _pairs(head: Tally, tail: Tally, band: Band) -> int:
    """The number of pairs, one path of each tally, whose summed cost lies in the band."""
    if len(head.costs) > len(tail.costs):
        head, tail = tail, head
    if not len(head.costs):
        return 0
    low, high = band
    near = slice(
        np.searchsorted(head.costs, low - tail.costs[-1]), np.searchsorted(head.costs, high - tail.costs[0], "right")
    )
    costs, up_to = head.costs[near], np.concatenate([[0], np.cumsum(tail.paths)])
    inside = up_to[np.searchsorted(tail.costs, high - costs, "right")] - up_to[np.searchsorted(tail.costs, low - costs)]
    return int(head.paths[near] @ inside)


def _steps(costs: Ints, allowed: NDArray[np.bool_]) -> Tally:
    """The different costs of some options, and the number of options with each."""
    steps, options = np.unique(costs[allowed], return_counts=True)
    return Tally(steps, options.astype(np.int64))


def _nothing() -> Tally:
    return Tally(np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64))


def _reversed(table: Table) -> Table:
    costs, allowed = table
    return costs.transpose(1, 0, 2), allowed.transpose(1, 0, 2)

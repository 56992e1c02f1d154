"""Chains of stages as paths through a trellis, whose costs add up.

A trellis is a chain of stages. A path starts in the first stage's only in-state, and in every stage takes one option
from its in-state to one of the out-states, which are the next stage's in-states. Each step has an integer cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search_spaces.counting.band import MAX_COST, Band

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trellis:
    """`costs[i]` are stage i's costs [in, out, option] and `allowed[i]` says which of its steps exist."""

    costs: tuple[Ints, ...]
    allowed: tuple[NDArray[np.bool_], ...]

    @cached_property
    def size(self) -> int:
        """The number of paths, exactly."""
        ends = np.ones(1, dtype=object)
        for allowed in self.allowed:
            ends = ends @ allowed.sum(axis=2).astype(object)
        return int(ends.sum())

    @cached_property
    def range(self) -> Band:
        """The lowest and the highest cost of a path."""
        low, high = self.ends()
        return int(low[-1].min()), int(high[-1].max())

    def ends(self) -> tuple[list[Ints], list[Ints]]:
        """The lowest and the highest cost of partial paths that end in each state, before every stage and at the end.

        A state without a path has `MAX_COST` and its negative.
        """
        low, high = [np.zeros(1, dtype=np.int64)], [np.zeros(1, dtype=np.int64)]
        if self.allowed:
            low, high = ([np.zeros(len(self.allowed[0]), dtype=np.int64)] for _ in range(2))
        for costs, allowed in zip(self.costs, self.allowed, strict=True):
            min_cost = np.where(allowed, costs, MAX_COST).min(axis=2)
            max_cost = np.where(allowed, costs, -MAX_COST).max(axis=2)
            low.append(np.minimum((low[-1][:, None] + min_cost).min(axis=0), MAX_COST))
            high.append(np.maximum((high[-1][:, None] + max_cost).max(axis=0), -MAX_COST))
        return low, high

    def backwards(self) -> Trellis:
        """The trellis read from its end; a path may then start in any of the end's states."""
        costs: list[Ints] = [part.transpose(1, 0, 2) for part in reversed(self.costs)]
        allowed: list[NDArray[np.bool_]] = [part.transpose(1, 0, 2) for part in reversed(self.allowed)]
        return Trellis(tuple(costs), tuple(allowed))

"""Table: every network of a finite space with its measured repetitions, so that a search costs no training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.tables.space import TableSpace
from search_spaces.counting import Band, whole_band
from search_spaces.spaces import Ints

Floats = NDArray[np.float64]
LARGEST = np.iinfo(np.int64).max


def is_cost(value: Any) -> bool:
    """Whether something is a number of multiply-adds or parameters: whole, above 0, and not too large to count in."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < LARGEST and value == int(value)
    )


@dataclass(frozen=True, eq=False)
class Table:
    """Measured networks of a space.

    name      as the user wrote it
    choices   the choices and their values
    network   [encodings] the number of the network that each encoding is, encodings in the order of `np.indices` (the
              last choice fastest); equal encodings have the same number
    measured  [networks, repetitions] what was measured, NaN beyond a network's own repetitions; higher is better
    macs      [networks] multiply-adds, where they are known before training
    params    [networks] parameters, where they are known
    unit      what one of the measured numbers is
    """

    name: str
    choices: Mapping[str, tuple[Any, ...]]
    network: Ints
    measured: Floats
    macs: Ints | None = None
    params: Ints | None = None
    unit: str = "points"

    def __post_init__(self) -> None:
        assert self.network.max() + 1 == len(self.measured)
        assert np.isfinite(self.measured[:, 0]).all()

    @cached_property
    def space(self) -> TableSpace:
        """The space of the table's networks: it knows their costs and which are equal, nothing of what was measured."""
        return TableSpace(self.name, self.choices, network=self.network, macs=self.macs, params=self.params)

    @cached_property
    def truth(self) -> Floats:
        """[networks] the mean over all of a network's repetitions."""
        return np.asarray(np.nanmean(self.measured, axis=1))

    @cached_property
    def repetitions(self) -> Ints:
        """[networks] how often each was measured."""
        return np.asarray(np.isfinite(self.measured).sum(axis=1))

    def observe(self, network: int, seed: int, time: int = 0) -> float:
        """One of a network's repetitions at random. Same seed and `time` (0 is the first look), same repetition."""
        rng = np.random.default_rng([seed, network, time])
        return float(self.measured[network, rng.integers(self.repetitions[network])])

    def inside(self, band: Band | None) -> NDArray[np.bool_]:
        """[networks] which lie in a band. Raises ValueError where none does, or the table has no multiply-adds."""
        if band is None:
            return np.ones(len(self.measured), dtype=bool)
        low, high = whole_band(band)
        macs = self.known_macs("a cost band")
        inside = (low <= macs) & (macs <= high)
        if not inside.any():
            raise ValueError(
                f"table {self.name} has no network of {low} to {high} multiply-adds: they reach from "
                f"{macs.min()} to {macs.max()}"
            )
        return np.asarray(inside)

    def known_macs(self, what: str) -> Ints:
        """The multiply-adds. Raises ValueError, saying `what` needs them, where the table has none."""
        if self.macs is None:
            raise ValueError(f"{what} needs multiply-adds, which table {self.name} does not have: name their column")
        return self.macs

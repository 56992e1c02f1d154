"""Tabular benchmarks: a finite space whose networks were all measured, so that a simulated search trains nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.counting.band import Band, whole_band
from search_spaces.spaces.space import Choice, Costs, Ints, Space

Floats = NDArray[np.float64]
MAX_INTEGER = np.iinfo(np.int64).max


def itself(choice: Choice) -> Choice:
    """The choice, which is what a table's space decodes it to."""
    return choice


class TableSpace(Space):
    """A space that fits in memory and whose costs are columns of a table.

    `network` [encodings] is the number of each encoding's network; `macs` and `params` [networks] are costs. A table
    has no activations, which count as 0. Without `macs` the space has no cost model.
    """

    def __init__(
        self,
        name: str,
        choices: Mapping[str, tuple[Any, ...]],
        *,
        network: Ints,
        macs: Ints | None = None,
        params: Ints | None = None,
    ) -> None:
        super().__init__(name, choices, itself)
        assert len(network) == self.size
        self._network, self._macs, self._params = network, macs, params

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, (self.name, dict(self.choices), self._network, self._macs, self._params)

    def network(self, encodings: ArrayLike) -> Ints:
        """The numbers [n] of the networks of encodings [n, k]."""
        return np.asarray(self._network[self._position_of(encodings)])

    def costs(self, encodings: ArrayLike) -> Costs:
        """As `Space.costs`. Raises ValueError where the table has no multiply-adds."""
        if self._macs is None:
            raise ValueError(f"space {self.name} has no cost model: its table has no column of multiply-adds")
        networks = self.network(encodings)
        zeros = np.zeros(len(networks), dtype=np.int64)
        return Costs(zeros if self._params is None else self._params[networks], self._macs[networks], zeros)

    def values(self, encodings: ArrayLike, metric: str) -> Ints:
        """As `Space.values`. Raises ValueError for a metric that the table has no column of."""
        column = {"macs": self._macs, "params": self._params}.get(metric)
        if column is None:
            raise ValueError(f"space {self.name} has no metric {metric}: its table has no column of it")
        return column[self.network(encodings)]

    def canonical(self, encodings: ArrayLike) -> Ints:
        """As `Space.canonical`: the first encoding of each network stands for it."""
        rows = self._first_encoding[self.network(encodings)]
        first: Ints = np.stack(np.unravel_index(rows, self.radices), axis=1).astype(np.int64)
        return np.asarray(first.reshape(np.shape(encodings)), dtype=np.int64)

    def key(self, choice: Choice) -> str:
        return f"{int(self.network(self.encode(choice))[0]):016x}"

    def _position_of(self, encodings: ArrayLike) -> Ints:
        rows = self._rows(encodings).astype(np.int64)
        return np.asarray(np.ravel_multi_index(tuple(rows.T), self.radices), dtype=np.int64)

    @cached_property
    def _first_encoding(self) -> Ints:
        return np.unique(self._network, return_index=True)[1].astype(np.int64)

    @cached_property
    def _enumeration(self) -> Ints:
        return np.indices(self.radices, dtype=np.int64).reshape(len(self.radices), -1).T

    @cached_property
    def _first_of_key(self) -> NDArray[np.bool_]:
        first = np.zeros(self.size, dtype=bool)
        first[self._first_encoding] = True
        return first


def _remake(
    name: str, choices: Mapping[str, tuple[Any, ...]], network: Ints, macs: Ints | None, params: Ints | None
) -> TableSpace:
    return TableSpace(name, choices, network=network, macs=macs, params=params)


def is_cost(value: Any) -> bool:
    """Whether a value is a number of multiply-adds or parameters: whole, above 0, and within 64 bits."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value < MAX_INTEGER
        and value == int(value)
    )


@dataclass(frozen=True, eq=False)
class BenchmarkTable:
    """Measured networks of a space.

    name      as the user wrote it
    choices   the choices and their values
    network   [encodings] the number of the network that each encoding is, encodings in the order of `np.indices` (the
              last choice fastest); equal encodings have the same number
    measured  [networks, repetitions] what was measured, NaN beyond a network's own repetitions; higher is better
    macs      [networks] multiply-adds, if the table has them
    params    [networks] parameters, if the table has them
    unit      the unit of the measured numbers
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
        """The space of the table's networks: their costs and which are equal, without the measurements."""
        return TableSpace(self.name, self.choices, network=self.network, macs=self.macs, params=self.params)

    @cached_property
    def truth(self) -> Floats:
        """[networks] the mean over all of a network's repetitions."""
        return np.asarray(np.nanmean(self.measured, axis=1))

    @cached_property
    def repetitions(self) -> Ints:
        """[networks] the number of repetitions of each."""
        return np.asarray(np.isfinite(self.measured).sum(axis=1))

    def observe(self, network: int, seed: int, time: int = 0) -> float:
        """One of a network's repetitions at random. Same seed and `time` (0 is the first training), same repetition."""
        rng = np.random.default_rng([seed, network, time])
        return float(self.measured[network, rng.integers(self.repetitions[network])])

    def inside(self, band: Band | None) -> NDArray[np.bool_]:
        """[networks] which networks lie in a band. Raises ValueError if none does, or without multiply-adds."""
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
        """The multiply-adds. Raises ValueError, which names `what` needs them, if the table has none."""
        if self.macs is None:
            raise ValueError(f"{what} needs multiply-adds, which table {self.name} does not have: name their column")
        return self.macs

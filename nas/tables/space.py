"""The space of a table's networks: costs and equal networks from arrays, and nothing of what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.spaces import Choice, Costs, Ints, Space


def itself(choice: Choice) -> Choice:
    """What a table's space decodes a choice to."""
    return choice


class TableSpace(Space):
    """A space of any size that fits in memory, whose costs are columns of a table.

    `network` [encodings] says which network each encoding is; `macs` and `params` [networks] are their costs. A table
    does not know activations, which count as 0. Without `macs` the space has no cost model.
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
    def _enumerated_macs(self) -> Ints:
        return self.costs(self._enumeration).macs

    @cached_property
    def _first_of_key(self) -> NDArray[np.bool_]:
        first = np.zeros(self.size, dtype=bool)
        first[self._first_encoding] = True
        return first


def _remake(
    name: str, choices: Mapping[str, tuple[Any, ...]], network: Ints, macs: Ints | None, params: Ints | None
) -> TableSpace:
    return TableSpace(name, choices, network=network, macs=macs, params=params)

"""Space: named finite choices, and their decoding to an Arch (or any other object)."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.common.suggest import nearest
from search_spaces.counting.band import MAX_COST, Band, Count, Of, Within, check_of, whole_bounds
from search_spaces.metrics.compute import USUAL, compute
from search_spaces.metrics.registry import METRICS, Conditions, Metric
from search_spaces.networks.arch import Arch

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Choice = Mapping[str, Any]
ENUMERABLE = 100_000


COUNTS = ("params", "macs", "activations")


class Costs(NamedTuple):
    """The costs of n networks in raw units, as int64 arrays of n (see `Cost` for what they count)."""

    params: Ints
    macs: Ints
    activations: Ints


class Reach(NamedTuple):
    """The lowest and the highest value of a metric; if not `exact`, of some networks that were drawn."""

    low: int
    high: int
    exact: bool = True


class Space:
    """Any finite space: `choices` names the choices and their values, `decode` turns one value of each into an object.

    A choice is a mapping {name: value}; its encoding is an array of k integers, the position of each value among its
    choice's values, in the order of `choices`. Many encodings are an int64 array [n, k].

    The contract of every space (tests/search_spaces/spaces/test_spaces.py runs it over all of them):
    - `choice` and `encode` are each other's inverse; `size` is the number of encodings.
    - `canonical` changes neither key nor cost; in a `StagedSpace` it is equal for all encodings of one network.
    - `sample` draws exactly uniformly from the encodings, or from the networks as canonical encodings, that lie within
      the bands of all metrics.
    - `mutate` changes exactly one choice; `neighbours` are all encodings one such change away.

    Metrics, counts and bands need archs. Here they enumerate, so they need a small space (at most 100 000 encodings);
    `StagedSpace` has no such limit. A band is (lowest, highest), both inclusive, in raw units: `macs` that of
    multiply-adds, `within` those of other metrics by name (see `search_spaces.metrics.registry`).

    `conditions` are those of memory in training: a batch of one image with sgd, unless `under` changes them.

    Raises ValueError for choices without values or with the same value twice.
    """

    def __init__(self, name: str, choices: Mapping[str, Sequence[Any]], decode: Callable[[Choice], Any]) -> None:
        self.name = name
        self.choices: Mapping[str, tuple[Any, ...]] = MappingProxyType({key: tuple(v) for key, v in choices.items()})
        self.conditions = USUAL
        self._decode = decode
        self._values: dict[str, Ints] = {}
        if not choices:
            raise ValueError(f"space {name} needs at least one choice, got none")
        for choice, values in self.choices.items():
            if len(values) == 0:
                raise ValueError(f"choice {choice} of space {name} needs at least one value, got none")
            if any(value in values[:index] for index, value in enumerate(values)):
                raise ValueError(f"choice {choice} of space {name} must have different values, got {list(values)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, dict(self.choices), self._decode), {"conditions": self.conditions}

    def __repr__(self) -> str:
        return f"<space {self.name}: {len(self.choices)} choices, {self.size:.3g} encodings>"

    def under(self, conditions: Conditions) -> Self:
        """The same space, with memory in training computed under these conditions."""
        other = copy.copy(self)
        other.conditions, other._values = conditions, {}
        return other

    @cached_property
    def radices(self) -> tuple[int, ...]:
        """The number of values of each choice."""
        return tuple(len(values) for values in self.choices.values())

    @property
    def size(self) -> int:
        """The number of encodings, exactly."""
        return math.prod(self.radices)

    @property
    def networks(self) -> int:
        """The number of different networks, exactly."""
        return int(self._first_of_key.sum())

    def decode(self, choice: Choice) -> Any:
        """The Arch of a choice {name: value}, or another object that the space's `decode` returns."""
        return self._decode(self.choice(self.encode(choice)))

    def encode(self, choice: Choice) -> Ints:
        """The encoding of a choice. Raises ValueError for unknown and missing names and for unknown values."""
        for name in choice:
            if name not in self.choices:
                raise ValueError(f"space {self.name} has no choice '{name}'{nearest(str(name), self.choices)}")
        return np.array([self._position(name, choice) for name in self.choices], dtype=np.int64)

    def choice(self, encoding: ArrayLike) -> dict[str, Any]:
        """The choice {name: value} of one encoding of k integers."""
        (row,) = self._rows(encoding)
        return {name: values[index] for (name, values), index in zip(self.choices.items(), row.tolist(), strict=True)}

    def sample(
        self,
        rng: np.random.Generator,
        n: int,
        *,
        macs: Band | None = None,
        within: Within | None = None,
        of: Of = "encodings",
    ) -> Ints:
        """Encodings [n, k], independent and uniform over the encodings (or networks) within the bands.

        Raises ValueError if there are none; a `StagedSpace` also does if it finds none in minutes.
        """
        check_of(of)
        bounds = whole_bounds(macs, within)
        if not bounds and of == "encodings":
            return rng.integers(0, self.radices, size=(n, len(self.radices)))
        return self._drawn(rng, n, bounds, of)

    def count(self, *, macs: Band | None = None, within: Within | None = None, of: Of = "encodings") -> Count:
        """The number of encodings or networks within the bands (without a band, of all).

        It is exact, but in a `StagedSpace`: in the band of one additive metric the count there has rigorous bounds, no
        wider than 0.1 % and often equal; otherwise it is estimated from networks that are drawn.
        """
        check_of(of)
        bounds = whole_bounds(macs, within)
        if bounds:
            return self._counted(bounds, of)
        number = self.size if of == "encodings" else self.networks
        return Count(number, number, of)

    def reach(self, metric: str) -> Reach:
        """The lowest and the highest value of a metric of a network."""
        values = self._enumerated(metric)
        return Reach(int(values.min()), int(values.max()))

    def costs(self, encodings: ArrayLike) -> Costs:
        """The costs of the networks of encodings [n, k]. Raises ValueError if the space decodes to no Arch."""
        return Costs(*(self.values(encodings, name) for name in COUNTS))

    def values(self, encodings: ArrayLike, metric: str) -> Ints:
        """A metric of the networks of encodings [n, k], in raw units [n].

        Raises ValueError as `search_spaces.metrics.compute.compute` does, and if the space decodes to no Arch.
        """
        rows = self._rows(encodings)
        return np.array([compute(metric, self._arch(row), self.conditions) for row in rows], dtype=np.int64)

    def inside(self, encodings: ArrayLike, macs: Band | None = None, within: Within | None = None) -> Bools:
        """Which of encodings [n, k] lie within the bands, as bools [n]."""
        return self._inside(self._rows(encodings), whole_bounds(macs, within))

    def canonical(self, encodings: ArrayLike) -> Ints:
        """The canonical encodings of encodings [n, k] or [k]; in a plain space each is its own."""
        return self._rows(encodings).astype(np.int64).reshape(np.shape(encodings))

    def key(self, choice: Choice) -> str:
        """16 hexadecimal digits, the same for all choices that are the same network."""
        decoded = self.decode(choice)
        if isinstance(decoded, Arch):
            return decoded.key
        values = json.dumps([choice[name] for name in self.choices], default=repr)
        return hashlib.sha256(values.encode()).hexdigest()[:16]

    def mutate(self, rng: np.random.Generator, encoding: ArrayLike) -> Ints:
        """The encoding [k] with one choice, uniform among those with more than one value, set to another value."""
        movable = [column for column, radix in enumerate(self.radices) if radix > 1]
        if not movable:
            raise ValueError(f"space {self.name} holds one encoding only, so there is nothing to mutate")
        column = rng.choice(movable)
        mutant: Ints = self._rows(encoding)[0].astype(np.int64)
        mutant[column] = (mutant[column] + rng.integers(1, self.radices[column])) % self.radices[column]
        return mutant

    def neighbours(self, encoding: ArrayLike) -> Ints:
        """All encodings [m, k] that differ from an encoding [k] in exactly one choice."""
        row = self._rows(encoding)[0].astype(np.int64)
        changes = [(c, v) for c, radix in enumerate(self.radices) for v in range(radix) if v != row[c]]
        found = np.repeat(row[None], len(changes), axis=0)
        for index, (column, value) in enumerate(changes):
            found[index, column] = value
        return found

    @property
    def title(self) -> str:
        """The space as error messages name it."""
        return f"space {self.name}"

    def check_target(self, value: float, name: str = "the target", metric: str = "macs") -> None:
        """Raise ValueError, with the reachable range, unless a metric of the networks reaches a value.

        A range that is not exact refuses nothing.
        """
        reach, row = self.reach(metric), METRICS.row(metric)
        if reach.exact and not reach.low <= value <= reach.high:
            ends = (_rounded(reach.low, up=True), _rounded(reach.high, up=False))
            between = " and ".join(row.format(end) for end in ends)
            raise ValueError(f"{name} must lie between {between} for {self.title}, got {row.format(value, 3)}")

    def _no_network(self, bounds: Mapping[str, Band]) -> ValueError:
        asked = [f"{_band_text(METRICS.row(name), *band)}" for name, band in bounds.items()]
        reach = [
            f"{row.label} from {row.format(found.low)} to {row.format(found.high)}"
            for name in bounds
            for row, found in [(METRICS.row(name), self.reach(name))]
        ]
        return ValueError(f"no network of {self.title} has {' and '.join(asked)}; it has {', '.join(reach)}")

    def _position(self, name: str, choice: Choice) -> int:
        if name not in choice:
            raise ValueError(f"a choice of space {self.name} needs a value for '{name}', got none")
        values, value = self.choices[name], choice[name]
        if value not in values:
            raise ValueError(f"{name} must be one of {', '.join(map(str, values))}, got {value!r}")
        return values.index(value)

    def _rows(self, encodings: ArrayLike) -> NDArray[np.integer]:
        """Encodings as a checked integer array [n, k]; a single one is made a row."""
        rows = np.atleast_2d(np.asarray(encodings))
        if rows.ndim != 2 or rows.shape[1] != len(self.radices) or rows.dtype.kind not in "iu":
            raise ValueError(
                f"encodings of space {self.name} must be integers of shape [n, {len(self.radices)}], "
                f"got {rows.dtype} of shape {list(np.shape(encodings))}"
            )
        if rows.size and (rows.min() < 0 or (rows.max(axis=0) >= self.radices).any()):
            raise ValueError(f"encodings of space {self.name} must lie below {list(self.radices)} and not below 0")
        return rows

    def _arch(self, row: NDArray[np.integer]) -> Arch:
        decoded = self.decode(self.choice(row))
        if not isinstance(decoded, Arch):
            raise ValueError(f"space {self.name} has no cost model: it decodes to {type(decoded).__name__}, not Arch")
        return decoded

    @cached_property
    def _enumeration(self) -> Ints:
        """All encodings, the last choice varying fastest."""
        if self.size > ENUMERABLE:
            raise ValueError(
                f"space {self.name} has {self.size} encodings, too many to enumerate (at most {ENUMERABLE}): "
                "bands and counts of networks need a StagedSpace"
            )
        return np.indices(self.radices, dtype=np.int64).reshape(len(self.radices), -1).T

    def _enumerated(self, metric: str) -> Ints:
        """A metric of all encodings in the order of `_enumeration`, computed once."""
        if metric not in self._values:
            self._values[metric] = self.values(self._enumeration, metric)
        return self._values[metric]

    @cached_property
    def _first_of_key(self) -> NDArray[np.bool_]:
        """Which of the enumerated encodings are the first of their network."""
        keys = [self.key(self.choice(encoding)) for encoding in self._enumeration]
        first = np.zeros(len(keys), dtype=bool)
        first[np.unique(keys, return_index=True)[1]] = True
        return first

    def _drawn(self, rng: np.random.Generator, n: int, bounds: Mapping[str, Band], of: Of) -> Ints:
        members = self._members(bounds, of)
        if not len(members):
            raise self._no_network(bounds)
        return members[rng.integers(0, len(members), size=n)]

    def _counted(self, bounds: Mapping[str, Band], of: Of) -> Count:
        number = len(self._members(bounds, of))
        return Count(number, number, of)

    def _inside(self, rows: NDArray[np.integer], bounds: Mapping[str, Band]) -> Bools:
        places = np.ravel_multi_index(tuple(rows.T), self.radices)
        inside = np.ones(len(rows), dtype=bool)
        for metric, (low, high) in bounds.items():
            values = self._enumerated(metric)[places]
            inside &= (low <= values) & (values <= high)
        return inside

    def _members(self, bounds: Mapping[str, Band], of: Of) -> Ints:
        # This comes first because it raises the error for large spaces.
        members = self._enumeration
        inside = self._inside(members, bounds)
        return members[inside & self._first_of_key if of == "networks" else inside]


def _band_text(metric: Metric, low: int, high: int) -> str:
    """A band as text, such as "at most 5M parameters"."""
    if high >= MAX_COST:
        return f"at least {metric.format(low)} {metric.title}"
    return f"{f'{metric.format(low)} to' if low else 'at most'} {metric.format(high)} {metric.title}"


def _rounded(value: int, *, up: bool, digits: int = 3) -> int:
    """A value rounded to some digits, up or down, so that a range printed with it is never too wide."""
    unit: int = 10 ** max(0, len(str(value)) - digits)
    return -(-value // unit) * unit if up else value // unit * unit

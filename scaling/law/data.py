"""Rows of trainings -> distinct networks: multipliers, mean accuracy over seeds, cost and weight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from scaling.law.forms import Data, Floats
from scaling.law.levels import find_levels
from studies.statistics.intervals import pooled_variance

DIMENSIONS = ("depth", "width", "resolution")
COST_POWERS = np.array([1.0, 2.0, 2.0])
"""Multiply-adds grow with d * w^2 * r^2 (EN, section 3.3)."""
MIN_NETWORKS = 4
MAX_MULTIPLIER = 32.0
RELATIVE_NOISE, ABSOLUTE_NOISE = 0.02, 0.001
"""Prior guess of a residual: 2 % of the error, and 0.1 points for the finite number of test images."""
OWN_NOISE = 0.012
"""In place of the 2 % where deviations that networks share are fitted beside the residuals."""
MISFIT_SHARE = 0.5
"""Share of a residual's variance that is attributed to the form's misfit, which more seeds do not reduce."""
SAME_MULTIPLIER = 1e-6


@dataclass(frozen=True)
class MeasuredNetworks:
    """Distinct networks, smallest nominal cost first.

    x         log depth, width and resolution multipliers [N, 3]
    accuracy  mean over rows of the same network [N]
    counts    rows of each [N]
    macs      multiply-adds [N]; nominal d * w^2 * r^2 if a row states none
    spread    standard deviation between rows of one network, and its degrees of freedom
    """

    x: Floats
    accuracy: Floats
    counts: Floats
    macs: Floats
    spread: tuple[float, int]

    @property
    def cost(self) -> Floats:
        """Nominal cost d * w^2 * r^2 [N]."""
        return np.asarray(np.exp(self.x @ COST_POWERS))

    @property
    def varied(self) -> tuple[str, ...]:
        """The dimensions that differ between networks."""
        return tuple(
            name for name, values in zip(DIMENSIONS, self.x.T, strict=True) if np.ptp(values) > SAME_MULTIPLIER
        )

    @property
    def columns(self) -> list[int]:
        return [DIMENSIONS.index(name) for name in self.varied]

    def data(self) -> Data:
        """What the forms are fitted to. An error of 0 counts as half the smallest error above it."""
        error = 1 - self.accuracy
        above = error[error > SAME_MULTIPLIER]
        error = np.maximum(error, above.min() / 2 if len(above) else SAME_MULTIPLIER)
        weight = 1 / (MISFIT_SHARE + (1 - MISFIT_SHARE) * self.counts.mean() / self.counts)
        middle = float(np.exp(np.log(error).mean()))
        deviation, freedom = self.spread
        x = self.x[:, self.columns]
        noise = (OWN_NOISE if len(find_levels(x).value) else RELATIVE_NOISE) + ABSOLUTE_NOISE / middle
        if freedom >= 2 and deviation > 0:
            noise = deviation / math.sqrt(self.counts.mean()) / middle
        return Data(x, error, weight, noise)


class Sized(Protocol):
    """A network's multipliers over its baseline."""

    @property
    def depth(self) -> float: ...
    @property
    def width(self) -> float: ...
    @property
    def resolution(self) -> float: ...


def training_rows(networks: Iterable[tuple[Sized, float, Mapping[int, float]]]) -> list[dict[str, float]]:
    """A row per training of networks given as (realised multipliers, multiply-adds, accuracy by seed)."""
    return [
        {
            **{name: getattr(multipliers, name) for name in DIMENSIONS},
            "macs": float(macs),
            "accuracy": accuracy,
            "seed": float(seed),
        }
        for multipliers, macs, accuracies in networks
        for seed, accuracy in accuracies.items()
    ]


def measure(rows: Iterable[Mapping[str, Any]]) -> MeasuredNetworks:
    """Rows with depth, width and resolution multipliers, accuracy (0 to 1), and possibly macs and seed.

    Rows of equal multipliers are replicates of one network, also for equal seeds. A DataFrame is accepted, too. Raises
    ValueError for values out of range and for fewer than four distinct networks.
    """
    records = cast(Any, rows).to_dict("records") if hasattr(rows, "to_dict") else list(rows)
    groups: dict[tuple[float, ...], list[tuple[float, float]]] = {}
    for number, row in enumerate(records, 1):
        multipliers = tuple(_multiplier(row, name, number) for name in DIMENSIONS)
        key = tuple(round(math.log(m), 6) for m in multipliers)
        groups.setdefault(key, []).append((_accuracy(row, number), _macs(row, number)))
    if len(groups) < MIN_NETWORKS:
        raise ValueError(
            f"a scaling law needs at least {MIN_NETWORKS} different networks, got {len(groups)}; train more"
        )
    return _table(groups)


def _table(groups: Mapping[tuple[float, ...], list[tuple[float, float]]]) -> MeasuredNetworks:
    keys = sorted(groups, key=lambda key: (float(np.dot(key, COST_POWERS)), key))
    accuracies = [[accuracy for accuracy, _ in groups[key]] for key in keys]
    variance, freedom = pooled_variance(accuracies)
    x = np.array(keys)
    means = np.array([np.mean(values) for values in accuracies])
    macs = np.array([np.mean([macs for _, macs in groups[key]]) for key in keys])
    if np.isnan(macs).any():
        macs = np.exp(x @ COST_POWERS)
    spread = (math.sqrt(variance) if freedom else 0.0, freedom)
    return MeasuredNetworks(x, means, np.array([float(len(values)) for values in accuracies]), macs, spread)


def _multiplier(row: Mapping[str, Any], name: str, number: int) -> float:
    value = _number(row, name, number)
    if not 0 < value < MAX_MULTIPLIER:
        raise ValueError(
            f"row {number}: {name} is a multiplier of the baseline's (1 is the baseline), between 0 and "
            f"{MAX_MULTIPLIER:g}, got {value:g}; divide by the baseline's {name}"
        )
    return value


def _accuracy(row: Mapping[str, Any], number: int) -> float:
    value = _number(row, "accuracy", number)
    if not 0 < value <= 1:
        raise ValueError(f"row {number}: accuracy lies above 0 and up to 1, got {value:g}; divide per cent by 100")
    return value


def _macs(row: Mapping[str, Any], number: int) -> float:
    if row.get("macs") is None:
        return math.nan
    value = float(row["macs"])
    if value <= 0 or math.isinf(value):
        raise ValueError(f"row {number}: macs must be a positive number of multiply-adds, got {value:g}")
    return value


def _number(row: Mapping[str, Any], name: str, number: int) -> float:
    if name not in row:
        raise ValueError(f"row {number} has no '{name}'; a row needs depth, width, resolution and accuracy")
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"row {number}: {name} must be a finite number, got {row[name]!r}; leave the row out")
    return value

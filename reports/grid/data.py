"""The networks of a run of scaling.grid as values (points, cost, accuracy), and what the run concluded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.page.metrics import is_metric
from reports.page.values import estimate_of
from reports.reading.runs import RunData
from scaling.grid.analysis import COEFFICIENTS
from scaling.grid.conclusions import GridConclusions
from search_spaces.networks.arch import Arch
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate, pooled_intervals

Triple = tuple[float, float, float]
SIZES = ("depth", "width", "resolution")
# Decimals to which points of a lattice are compared.
DECIMALS = 6


@dataclass(frozen=True)
class NetworkData:
    """A network of a grid.

    coefficients  alpha, beta, gamma of the point that represents it; points: of all that round to it
    sizes         realised depth, width, resolution multipliers; cost: realised, over the baseline's
    metrics       multiply-adds and the limited metrics by name, in raw units
    accuracy      mean on validation images over seeds, matched to the target cost, with its interval
    is_equal      whether it is not significantly different from the best; None if that is not known yet
    lr            its own peak learning rate; nan if all networks have the recipe's
    """

    key: str
    coefficients: Triple
    points: tuple[Triple, ...]
    sizes: Triple
    cost: float
    metrics: Mapping[str, float]
    seeds: int
    accuracy: Estimate
    is_equal: bool | None
    lr: float = math.nan


def networks(run: RunData) -> list[NetworkData]:
    """The networks of a grid, best first: what it concluded, or, before that, those trained so far."""
    given = run.result.get("networks")
    if not isinstance(given, list):
        return _unfinished(run)
    found = [_network(one) for one in given if isinstance(one, Mapping)]
    known = [one for one in found if one is not None]
    if len(known) < len(given):
        run.notes.append(f"coefficients.json: {len(given) - len(known)} networks in it cannot be read")
    return sorted(known, key=lambda one: -one.accuracy.value)


def left_out(run: RunData, found: Sequence[NetworkData]) -> list[Triple]:
    """The points of the grid's lattice without a network: over a budget, upsampled, or never trained."""
    from scaling.grid.lattice import Lattice

    config = run.config
    try:
        bounds = {name: _pair(config[name]) for name in COEFFICIENTS}
        lattice = Lattice(step=float(config["step"]), tolerance=float(config["tolerance"]), **bounds)
        every = [_triple(point) for point in lattice.points().tolist()]
    except (KeyError, TypeError, ValueError):
        return []
    taken = {_triple(point) for one in found for point in one.points}
    return [point for point in every if point not in taken]


def shares(coefficients: Sequence[float]) -> Triple:
    """The shares of depth, width and resolution in the growth of cost: log alpha, 2 log beta, 2 log gamma over all."""
    a, b, c = np.log(coefficients[0]), 2 * np.log(coefficients[1]), 2 * np.log(coefficients[2])
    whole = a + b + c
    return (float(a / whole), float(b / whole), float(c / whole)) if whole > 0 else (1 / 3, 1 / 3, 1 / 3)


def coefficients_of(values: object) -> Triple | None:
    """alpha, beta, gamma from JSON, as numbers or as estimates; None if one is missing."""
    if not isinstance(values, Mapping):
        return None
    found = []
    for name in COEFFICIENTS:
        value, estimate = values.get(name), estimate_of(values.get(name))
        value = estimate.value if estimate else value
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            return None
        found.append(float(value))
    return found[0], found[1], found[2]


def show_coefficients(coefficients: Sequence[float]) -> str:
    """Coefficients as "1.2/1.1/1.15"."""
    return "/".join(f"{value:.4g}" for value in coefficients)


def conclusions_of(run: RunData) -> GridConclusions | None:
    """What the run concluded; None, with a note, for a coefficients.json that is broken."""
    if not run.result:
        return None
    try:
        return GridConclusions.of_file(run.result)
    except ValueError as error:
        run.notes.append(f"coefficients.json cannot be used: {error}")
        return None


def _network(one: Mapping[str, Any]) -> NetworkData | None:
    coefficients, accuracy = coefficients_of(one), estimate_of(one.get("accuracy"))
    try:
        sizes = _triple([one[name] for name in SIZES])
        points = tuple(_triple(point) for point in one.get("points") or [])
        cost, metrics = float(one["cost"]), {name: float(one[name]) for name in one if is_metric(name)}
        lr = float(one.get("lr", math.nan))
    except (KeyError, TypeError, ValueError):
        return None
    if coefficients is None or accuracy is None:
        return None
    equal = bool(one.get("indistinguishable_from_best"))
    key, points = str(one.get("key", "")), points or (coefficients,)
    return NetworkData(key, coefficients, points, sizes, cost, metrics, accuracy.n, accuracy, equal, lr)


def _unfinished(run: RunData) -> list[NetworkData]:
    """The networks trained so far with their accuracies; comparisons with the best are not known yet."""
    from search_spaces.resizing.compound import realised

    done = [one for one in run.records("grid") if one.outcome is Outcome.COMPLETE and one.accuracy is not None]
    baseline = next((one for one in done if one.proposed_by == "baseline"), None)
    groups: dict[str, list[Record]] = {}
    for one in done:
        if "coefficients" in one.notes:
            groups.setdefault(one.key, []).append(one)
    if baseline is None or not groups:
        return []
    start = Arch.from_json(baseline.arch)
    means = pooled_intervals([[one.accuracy or 0.0 for one in group] for group in groups.values()])
    found = []
    for (key, group), mean in zip(groups.items(), means, strict=True):
        arch = Arch.from_json(group[0].arch)
        got, spent = realised(arch, start), group[0].metrics["macs"]
        coefficients = _triple(str(group[0].notes["coefficients"]).split("/"))
        sizes = (got.depth, got.width, got.resolution)
        growth, metrics = spent / baseline.metrics["macs"], {"macs": spent}
        found.append(NetworkData(key, coefficients, (coefficients,), sizes, growth, metrics, len(group), mean, None))
    return sorted(found, key=lambda one: -one.accuracy.value)


def _triple(values: Sequence[Any]) -> Triple:
    first, second, third = (round(float(value), DECIMALS) for value in values)
    return first, second, third


def _pair(values: Sequence[Any]) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)

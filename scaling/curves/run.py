"""The trainings of curves: accuracy by seed, latency and memory of every network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scaling.curves.plan import CurvePoint, CurvesPlan
from scaling.experiment.rates import OWN, ChosenRates, phase_at
from scaling.experiment.trainings import WEIGHTS, Experiment, ExperimentNetwork, train_at_rates
from search_spaces.metrics.compute import compute
from search_spaces.metrics.counts import Cost, cost
from search_spaces.networks.arch import Arch
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.timing.latency import Conditions, Latency, measure_all

KIND = "curves"


@dataclass(frozen=True)
class TrainedPoint:
    """A point of the curves and what was measured.

    planned     the point
    cost        params, macs, activations
    validation, test  accuracy by seed
    seconds     of training, by seed; depends on the worker and its load
    latency     of one image, measured after all trainings
    memory      peak bytes of a training step under the recipe
    weights     file of the first seed's trained weights, relative to the run folder; empty if there is none
    """

    planned: CurvePoint
    cost: Cost
    validation: Mapping[int, float]
    test: Mapping[int, float]
    seconds: Mapping[int, float]
    latency: Latency
    memory: int
    weights: str


@dataclass(frozen=True)
class CurvesResult:
    """Plan and points of curves, in the plan's order; points that were never trained to the end are missing.

    points       each network at the learning rate that counts for it
    rates        these learning rates; None without --lr-per-network
    with_recipe  the points with the recipe's learning rate for all networks; empty without --lr-per-network
    """

    plan: CurvesPlan
    points: tuple[TrainedPoint, ...]
    rates: ChosenRates | None = None
    with_recipe: tuple[TrainedPoint, ...] = ()


def run_curves(plan: CurvesPlan, experiment: Experiment) -> CurvesResult:
    """Train what is missing and measure latency. Raises ValueError if nothing was trained to its end."""
    trained = train_at_rates(experiment, KIND, wanted(plan), keep_weights=True, test=True)
    # Nothing else may run while latency is measured.
    experiment.workers.stop()
    for factor, records in trained.records.items():
        _keep_weights_of_seed(plan.config.seed, experiment.at(factor), records)
    best = [record for record in trained.best if record.outcome is Outcome.COMPLETE]
    if not best:
        raise ValueError(f"no network was trained to the end: see the outcomes in {KIND}-trials.csv")
    keys = {record.key for record in best}
    latencies = _latencies(plan, [planned.arch for planned in plan.points if planned.arch.key in keys])
    points = _trained_points(plan, experiment, best, latencies, trained.rates)
    if not plan.config.lr_per_network:
        return CurvesResult(plan, points)
    at_recipe = [record for record in trained.records[OWN] if record.outcome is Outcome.COMPLETE]
    with_recipe = _trained_points(plan, experiment, at_recipe, latencies, replace(trained.rates, chosen={}))
    return CurvesResult(plan, points, trained.rates, with_recipe)


def wanted(plan: CurvesPlan) -> list[tuple[ExperimentNetwork, int]]:
    """Every network with every seed, seed by seed; the main contrast's networks with more seeds."""
    config, chosen = plan.config, _members(plan)
    main_seeds = max(config.seeds, config.main_seeds)
    return [
        (member, config.seed + index)
        for index in range(main_seeds)
        for member, is_main in chosen
        if index < (main_seeds if is_main else config.seeds)
    ]


def _members(plan: CurvesPlan) -> list[tuple[ExperimentNetwork, bool]]:
    """Each different network once, and whether it belongs to the main contrast under any of its names."""
    found: dict[str, list[CurvePoint]] = {}
    for planned in plan.points:
        found.setdefault(planned.arch.key, []).append(planned)
    members = []
    for planned_points in found.values():
        first = planned_points[0]
        label = f"{first.curve} x{first.multiple:.3g}" if first.growth.macs_ratio != 1 else first.curve
        notes: dict[str, Any] = {"curves": [planned.curve for planned in planned_points]}
        is_main = any(plan.is_main(planned) for planned in planned_points)
        members.append((ExperimentNetwork(first.arch, label, first.multiple, notes), is_main))
    return members


def _keep_weights_of_seed(seed: int, experiment: Experiment, records: Sequence[Record]) -> None:
    """Remove the weights of all other seeds: class activation maps need one training per network.

    Every learning rate keeps its own, because further seeds may choose another rate.
    """
    for record in records:
        path = experiment.training.weights(record.key, record.seed)
        if record.seed != seed:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)


def _latencies(plan: CurvesPlan, archs: Sequence[Arch]) -> dict[str, Latency]:
    """The latency of each different network, all measured in turns."""
    different = {arch.key: arch for arch in archs}
    measured = measure_all(list(different.values()), Conditions(runs=plan.config.runs))
    return dict(zip(different, measured, strict=True))


def _trained_points(
    plan: CurvesPlan,
    experiment: Experiment,
    complete: Sequence[Record],
    latencies: Mapping[str, Latency],
    rates: ChosenRates,
) -> tuple[TrainedPoint, ...]:
    """The points with a complete training, in the plan's order."""
    found = []
    for planned in plan.points:
        key = planned.arch.key
        records = {record.seed: record for record in complete if record.key == key}
        if records:
            factor = rates.chosen.get(key, OWN)
            found.append(_trained_point(plan, experiment.at(factor), planned, records, latencies[key]))
    return tuple(found)


def _trained_point(
    plan: CurvesPlan, experiment: Experiment, planned: CurvePoint, records: Mapping[int, Record], latency: Latency
) -> TrainedPoint:
    path = experiment.training.weights(planned.arch.key, plan.config.seed)
    return TrainedPoint(
        planned=planned,
        cost=cost(planned.arch),
        validation={seed: record.accuracy or 0.0 for seed, record in sorted(records.items())},
        test={seed: record.rungs[-1]["test_accuracy"] for seed, record in sorted(records.items())},
        seconds={seed: record.seconds for seed, record in sorted(records.items())},
        latency=latency,
        memory=compute("training_memory", planned.arch, plan.config.schedule.conditions),
        weights=f"{phase_at(WEIGHTS, experiment.factor)}/{path.name}" if path.exists() else "",
    )

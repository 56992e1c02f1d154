"""The trainings behind curves, and what is read off them: a row a network, with everything that figures need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scaling.curves.plan import FOUND, CurvePoint, CurvesPlan
from scaling.experiment.trainings import Experiment, ExperimentNetwork
from search_spaces.metrics.counts import Cost, cost
from search_spaces.metrics.memory import training_memory
from search_spaces.networks.arch import Arch
from search_spaces.resizing.strategy import SINGLE
from studies.ledger.trial import Record
from studies.outcome import Outcome as Ending
from studies.timing.latency import Conditions, Latency, measure_all

KIND = "curves"


@dataclass(frozen=True)
class TrainedPoint:
    """A network of the curves and what came out.

    planned       where it stands
    cost        params, macs, activations
    validation, test  accuracy by seed
    seconds     of training, by seed, on whatever the worker was and however busy
    latency     of one image, measured after all trainings
    memory      bytes of a training step at the recipe's batch size
    weights     file of the first seed's trained weights, relative to the run folder; empty where there is none
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
    """Plan and points of curves, in the plan's order; planned_points that were never trained to the end are missing."""

    plan: CurvesPlan
    points: tuple[TrainedPoint, ...]


def carry_out(plan: CurvesPlan, experiment: Experiment) -> CurvesResult:
    """Train what is missing, measure latency, read everything off. ValueError where nothing was trained to its end."""
    records = experiment.train(KIND, wanted(plan), keep_weights=True, test=True)
    first = plan.config.seed
    _keep_first(experiment, records, first)
    complete = [record for record in records if record.outcome is Ending.COMPLETE]
    planned_points = [planned for planned in plan.points if any(record.key == planned.arch.key for record in complete)]
    latencies = _latencies(plan, [planned.arch for planned in planned_points])
    points = tuple(
        _trained_point(plan, experiment, planned, complete, latencies[planned.arch.key]) for planned in planned_points
    )
    return CurvesResult(plan, points)


def wanted(plan: CurvesPlan) -> list[tuple[ExperimentNetwork, int]]:
    """Every network with every seed, seed by seed; the main contrast's networks with more of them."""
    config, chosen = plan.config, _members(plan)
    most = max(config.seeds, config.main_seeds)
    return [
        (member, config.seed + index)
        for index in range(most)
        for member, is_main in chosen
        if index < (max(config.seeds, config.main_seeds) if is_main else config.seeds)
    ]


def _members(plan: CurvesPlan) -> list[tuple[ExperimentNetwork, bool]]:
    """Each different network once, with whether it belongs to the main contrast under any of its names."""
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


def _keep_first(experiment: Experiment, records: Sequence[Record], first: int) -> None:
    """Remove the weights of all seeds but the first: pictures of what networks look at need one each."""
    for record in records:
        path = experiment.training.weights(record.key, record.seed)
        if record.seed != first:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)


def _latencies(plan: CurvesPlan, archs: Sequence[Arch]) -> dict[str, Latency]:
    """Of each different network, all measured in turns."""
    different = {arch.key: arch for arch in archs}
    measured = measure_all(list(different.values()), Conditions(runs=plan.config.runs))
    return dict(zip(different, measured, strict=True))


def _trained_point(
    plan: CurvesPlan, experiment: Experiment, planned: CurvePoint, complete: Sequence[Record], latency: Latency
) -> TrainedPoint:
    records = {record.seed: record for record in complete if record.key == planned.arch.key}
    schedule = plan.config.schedule
    path = experiment.training.weights(planned.arch.key, plan.config.seed)
    return TrainedPoint(
        planned=planned,
        cost=cost(planned.arch),
        validation={seed: record.accuracy or 0.0 for seed, record in sorted(records.items())},
        test={seed: record.rungs[-1]["test_accuracy"] for seed, record in sorted(records.items())},
        seconds={seed: record.seconds for seed, record in sorted(records.items())},
        latency=latency,
        memory=training_memory(planned.arch, schedule.batch_size, optimizer=schedule.optimizer).total,
        weights=f"weights/{path.name}" if path.exists() else "",
    )


def row(point: TrainedPoint) -> dict[str, Any]:
    """A point as plain values in raw units, without its accuracies."""
    planned = point.planned
    return {
        "curve": planned.curve,
        "multiple": planned.multiple,
        "is_raw": planned.is_raw,
        "upsampled": planned.upsampled,
        "key": planned.arch.key,
        **planned.growth.as_dict(),
        "input_px": planned.arch.resolution,
        "layers": sum(stage.layers for stage in planned.arch.stages),
        "target_macs": planned.target,
        "macs": point.cost.macs,
        "params": point.cost.params,
        "activations": point.cost.activations,
        "training_bytes": point.memory,
        "latency_mean": point.latency.mean,
        "latency_median": point.latency.median,
        "weights": point.weights,
    }


def compound(outcome: CurvesResult) -> str:
    """The compound curve that is compared: the coefficients found where they are there and grow more than one
    dimension, else the paper's.
    """
    curves = {point.planned.curve for point in outcome.points}
    return FOUND if FOUND in curves and not found_alone(outcome) else "compound"


def found_alone(outcome: CurvesResult) -> str:
    """The single dimension whose networks the coefficients found give too at the largest multiple; empty for none."""
    there = {p.planned.curve: p.planned.arch for p in outcome.points if p.planned.multiple == outcome.plan.largest}
    return next((name for name in SINGLE if name in there and there[name] == there.get(FOUND)), "")

"""The trainings behind curves, and what is read off them: a row a network, with everything that figures need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scaling.curves_plan import FOUND, Place, Plan
from scaling.experiment import Experiment, Member
from scaling.strategy import SINGLE
from search_spaces.arch import Arch
from search_spaces.costs import Cost, cost
from search_spaces.memory import training_memory
from studies.latency import Conditions, Latency, measure_all
from studies.outcome import Outcome as Ending
from studies.record import Record

KIND = "curves"


@dataclass(frozen=True)
class Point:
    """A network of the curves and what came out.

    place       where it stands
    cost        params, macs, activations
    validation, test  accuracy by seed
    seconds     of training, by seed, on whatever the worker was and however busy
    latency     of one image, measured after all trainings
    memory      bytes of a training step at the recipe's batch size
    weights     file of the first seed's trained weights, relative to the run folder; empty where there is none
    """

    place: Place
    cost: Cost
    validation: Mapping[int, float]
    test: Mapping[int, float]
    seconds: Mapping[int, float]
    latency: Latency
    memory: int
    weights: str


@dataclass(frozen=True)
class Outcome:
    """Plan and points of curves, in the plan's order; places that were never trained to the end are missing."""

    plan: Plan
    points: tuple[Point, ...]


def carry_out(plan: Plan, experiment: Experiment) -> Outcome:
    """Train what is missing, measure latency, read everything off. ValueError where nothing was trained to its end."""
    records = experiment.train(KIND, wanted(plan), keep_weights=True, test=True)
    first = plan.config.seed
    _keep_first(experiment, records, first)
    complete = [record for record in records if record.outcome is Ending.COMPLETE]
    places = [place for place in plan.places if any(record.key == place.arch.key for record in complete)]
    latencies = _latencies(plan, [place.arch for place in places])
    points = tuple(_point(plan, experiment, place, complete, latencies[place.arch.key]) for place in places)
    return Outcome(plan, points)


def wanted(plan: Plan) -> list[tuple[Member, int]]:
    """Every network with every seed, seed by seed; the main contrast's networks with more of them."""
    config, chosen = plan.config, _members(plan)
    most = max(config.seeds, config.main_seeds)
    return [
        (member, config.seed + index)
        for index in range(most)
        for member, is_main in chosen
        if index < (max(config.seeds, config.main_seeds) if is_main else config.seeds)
    ]


def _members(plan: Plan) -> list[tuple[Member, bool]]:
    """Each different network once, with whether it belongs to the main contrast under any of its names."""
    found: dict[str, list[Place]] = {}
    for place in plan.places:
        found.setdefault(place.arch.key, []).append(place)
    members = []
    for places in found.values():
        first = places[0]
        label = f"{first.curve} x{first.multiple:.3g}" if first.growth.macs_ratio != 1 else first.curve
        notes: dict[str, Any] = {"curves": [place.curve for place in places]}
        is_main = any(plan.is_main(place) for place in places)
        members.append((Member(first.arch, label, first.multiple, notes), is_main))
    return members


def _keep_first(experiment: Experiment, records: Sequence[Record], first: int) -> None:
    """Remove the weights of all seeds but the first: pictures of what networks look at need one each."""
    for record in records:
        path = experiment.training.weights(record.key, record.seed)
        if record.seed != first:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)


def _latencies(plan: Plan, archs: Sequence[Arch]) -> dict[str, Latency]:
    """Of each different network, all measured in turns."""
    different = {arch.key: arch for arch in archs}
    measured = measure_all(list(different.values()), Conditions(runs=plan.config.runs))
    return dict(zip(different, measured, strict=True))


def _point(plan: Plan, experiment: Experiment, place: Place, complete: Sequence[Record], latency: Latency) -> Point:
    records = {record.seed: record for record in complete if record.key == place.arch.key}
    schedule = plan.config.schedule
    path = experiment.training.weights(place.arch.key, plan.config.seed)
    return Point(
        place=place,
        cost=cost(place.arch),
        validation={seed: record.accuracy or 0.0 for seed, record in sorted(records.items())},
        test={seed: record.rungs[-1]["test_accuracy"] for seed, record in sorted(records.items())},
        seconds={seed: record.seconds for seed, record in sorted(records.items())},
        latency=latency,
        memory=training_memory(place.arch, schedule.batch_size, optimizer=schedule.optimizer).total,
        weights=f"weights/{path.name}" if path.exists() else "",
    )


def row(point: Point) -> dict[str, Any]:
    """A point as plain values in raw units, without its accuracies."""
    place = point.place
    return {
        "curve": place.curve,
        "multiple": place.multiple,
        "is_raw": place.is_raw,
        "upsampled": place.upsampled,
        "key": place.arch.key,
        **place.growth.as_dict(),
        "input_px": place.arch.resolution,
        "layers": sum(stage.layers for stage in place.arch.stages),
        "target_macs": place.target,
        "macs": point.cost.macs,
        "params": point.cost.params,
        "activations": point.cost.activations,
        "training_bytes": point.memory,
        "latency_mean": point.latency.mean,
        "latency_median": point.latency.median,
        "weights": point.weights,
    }


def compound(outcome: Outcome) -> str:
    """The compound curve that is compared: the coefficients found where they are there and grow more than one
    dimension, else the paper's.
    """
    curves = {point.place.curve for point in outcome.points}
    return FOUND if FOUND in curves and not found_alone(outcome) else "compound"


def found_alone(outcome: Outcome) -> str:
    """The single dimension whose networks the coefficients found give too at the largest multiple; empty for none."""
    there = {p.place.curve: p.place.arch for p in outcome.points if p.place.multiple == outcome.plan.largest}
    return next((name for name in SINGLE if name in there and there[name] == there.get(FOUND)), "")

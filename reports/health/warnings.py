"""Warnings about a run: too few seeds, undertrained networks, missed budgets, failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from nas.search.wording import describe_edge
from reports.reading.effort import efforts, numbers, texts
from reports.reading.runs import Kind, RunData
from reports.reading.target import best_value, target_of
from search_spaces.common.text import pluralise
from studies.statistics.comparisons import MIN_SEEDS

# With two seeds an interval rests on one degree of freedom per network.
FEW_SEEDS = 3
# Accuracy (points) that the last pass still brought, above which rankings may change with longer training.
STILL_RISING = 0.02
# An accuracy below so many times that of guessing means that nothing was learnt.
NEAR_CHANCE = 1.25
MISSED = 0.05
FAILURES = ("nan", "out-of-memory", "error")
MANY_FAILURES = 0.1
# The trainings that a run's conclusions rest on.
DECISIVE = {Kind.SEARCH: "finalists", Kind.GRID: "grid", Kind.CURVES: "curves"}
SEEDS = {Kind.SEARCH: ("finalist.seeds",), Kind.GRID: ("seeds", "choice_seeds"), Kind.CURVES: ("seeds", "main_seeds")}


def warnings(run: RunData) -> list[str]:
    """Warnings, a line each."""
    return [*_unfinished(run), *_seeds(run), *_undertrained(run), *_budget(run), *_costs(run), *_failures(run)]


def _unfinished(run: RunData) -> Iterator[str]:
    sessions = run.manifest.get("sessions") or [{}]
    reason = sessions[-1].get("reason", "") if isinstance(sessions[-1], dict) else ""
    endings = {
        "running": "is still running, or was killed: the same command resumes it, and a new report shows the rest",
        "interrupted": "was interrupted: the same command resumes it",
        "failed": f"failed ({reason or 'see log.txt'}): the same command resumes it",
        "unknown": "has an unknown status: its manifest.json is missing or broken",
    }
    if run.status in endings:
        yield f"the run {endings[run.status]}"


def _seeds(run: RunData) -> Iterator[str]:
    for name in SEEDS[run.kind]:
        value, flag = run.setting(name), f"`--{name.replace('_', '-')}`"
        if not isinstance(value, int):
            continue
        if value == 1:
            yield f"one seed only ({flag}): there are no confidence intervals, and differences may be chance"
        elif value < FEW_SEEDS:
            yield f"only {value} seeds ({flag}): intervals are wide and assume normal errors"
        elif name in ("main_seeds", "choice_seeds") and value < MIN_SEEDS:
            yield (
                f"only {value} seeds ({flag}): too few for a permutation test, so comparisons assume normal errors; "
                f"use {MIN_SEEDS}"
            )


def _undertrained(run: RunData) -> Iterator[str]:
    frame = run.trials.get(DECISIVE[run.kind], pd.DataFrame())
    if run.kind is Kind.SEARCH and not len(frame):
        frame = run.trials.get("search", frame)
    done = frame[texts(frame, "outcome") == "complete"]
    if not len(done):
        return
    gain = last_gain(done)
    if gain is None:
        yield "networks were compared after one pass over the images: longer training may change their order"
    elif gain > STILL_RISING:
        yield (
            f"networks are undertrained: the last pass over the images still brought {100 * gain:.1f} points of "
            "accuracy (median), so longer training may change the order"
        )
    yield from _by_chance(run, done)


def last_gain(done: pd.DataFrame) -> float | None:
    """Median of what the last rung added to the accuracy of the one before; None where there was one only."""
    steps = sorted(int(name[9:]) for name in done.columns if name.startswith("accuracy_") and name[9:].isdigit())
    if len(steps) < 2:
        return None
    last, before = (numbers(done, f"accuracy_{step}") for step in (steps[-1], steps[-2]))
    gain = (last - before).dropna()
    return float(gain.median()) if len(gain) else None


def _by_chance(run: RunData, done: pd.DataFrame) -> Iterator[str]:
    classes = _classes(run.result)
    accuracies = numbers(done, "accuracy").dropna()
    if not classes or not len(accuracies):
        return
    lost = int((accuracies < NEAR_CHANCE / classes).sum())
    if lost:
        yield (
            f"{lost} of {pluralise(len(accuracies), 'training')} ended near {100 / classes:.3g} %, the accuracy of "
            f"guessing among {classes} classes: they learnt next to nothing, so comparisons between them mean nothing"
        )


def _classes(result: Mapping[str, Any]) -> int:
    baseline = result.get("trained_baseline")
    for place in (baseline, result.get("baseline")):
        if isinstance(place, dict) and isinstance(place.get("classes"), int):
            return int(place["classes"])
    return 0


def _budget(run: RunData) -> Iterator[str]:
    """Trials that were requested and not done."""
    asked = run.config.get("trials")
    if run.kind is not Kind.SEARCH or not isinstance(asked, int) or run.setting("controls.only"):
        return
    frame = run.trials.get("search", pd.DataFrame())
    final = int((~texts(frame, "outcome").isin(["interrupted", "running", "waiting"])).sum()) if len(frame) else 0
    if final < asked:
        yield f"{final} of {pluralise(asked, 'candidate')} were judged: the search is smaller than requested"


def _costs(run: RunData) -> Iterator[str]:
    """Networks whose cost differs from the target."""
    if run.kind is Kind.SEARCH:
        yield from _target(run)
        return
    networks = run.table.drop_duplicates("key") if "key" in run.table else run.table
    target = numbers(networks, "target_macs") if run.kind is Kind.CURVES else _grid_target(run, networks)
    missed = ((numbers(networks, "macs") / target - 1).abs() > MISSED).fillna(False)
    if missed.any():
        worst = (numbers(networks, "macs") / target - 1).abs()[missed].max()
        yield (
            f"{int(missed.sum())} of {pluralise(len(networks), 'network')} miss their cost by more than {MISSED:.0%} "
            f"(by {worst:.0%} at most): sizes come in steps; comparisons are corrected for it"
        )


def _grid_target(run: RunData, networks: pd.DataFrame) -> pd.Series[float]:
    grid = run.result.get("grid")
    target = grid.get("target_macs") if isinstance(grid, dict) else None
    return pd.Series(float(target) if target else float("nan"), index=networks.index)


def _target(run: RunData) -> Iterator[str]:
    try:
        metric, target = target_of(run.config)
    except ValueError:
        return
    found = best_value(run.result, metric.name)
    if found and found > target * (1 + MISSED):
        yield f"the best network has {found / target - 1:.0%} more {metric.label} than the target"
    edge = run.result.get("band_edge")
    if edge:
        yield describe_edge(edge)


def _failures(run: RunData) -> Iterator[str]:
    for one in efforts(run):
        failed = {name: one.outcomes[name] for name in FAILURES if one.outcomes.get(name)}
        if failed:
            counts = ", ".join(f"{number} {name}" for name, number in failed.items())
            see = "more than a tenth: see their reasons" if _many(failed, one.trials) else "see their reasons"
            total = f"{sum(failed.values())} of {pluralise(one.trials, 'trial')}"
            yield f"{total} of phase {one.phase} failed ({counts}); {see}"


def _many(failed: Mapping[str, int], trials: int) -> bool:
    return sum(failed.values()) > MANY_FAILURES * trials

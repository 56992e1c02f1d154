"""The section on the health of the runs: whether they can be trusted, and where their time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from reports.health import figures
from reports.health.warnings import warnings
from reports.page.content import Cell, Column, Figure, Section, Table
from reports.page.prose import slug
from reports.reading.effort import PHASES, Effort, efforts, numbers, texts
from reports.reading.runs import RunData
from reports.reading.timeline import Timeline, timeline
from search_spaces.common.text import pluralise
from search_spaces.common.units import format_duration

FINE = ("complete", "pruned", "running", "waiting")
TERMS = {
    "complete": "Trained to its end.",
    "pruned": "Stopped early because it was behind the others at that point.",
    "infeasible": "Could not be trained at all, for example because its last feature map would be empty.",
    "nan": "Training diverged: a loss was not finite.",
    "out-of-memory": "Training did not fit into the worker's memory.",
    "interrupted": "Stopped from outside (Ctrl-C, a dead worker) and run again under a new number: a retry.",
    "repeat": "A network that was trained before: its recorded result was used, nothing was trained.",
    "utilisation": "Share of the workers' time that was spent in trainings.",
}


def sections(runs: Sequence[RunData]) -> list[Section]:
    """Run health, of all runs together."""
    done = [one for run in runs for one in efforts(run)]
    lines = [line for run in runs if (line := timeline(run))]
    items: list[str | Figure | Table] = [_headline(done)]
    if done:
        items += [_table(done), _outcomes(done)]
    if any(one.seconds for one in done):
        items.append(_seconds([one for one in done if one.seconds]))
    items += [_utilisation(line) for line in lines]
    failed = [row for run in runs for row in _failed(run)]
    if failed:
        items.append(_failures(failed))
    prefix = len(runs) > 1
    warned = [f"{run.name}: {line}" if prefix else line for run in runs for line in warnings(run)]
    return [Section("health", "Run health", items, warned, _missing(runs, lines), TERMS)]


def _headline(done: Sequence[Effort]) -> str:
    if not done:
        return "No trial has started."
    trials = sum(one.trials for one in done)
    ended = {name: sum(one.outcomes.get(name, 0) for one in done) for name in figures.order(done)}
    counts = ", ".join(f"{count:,} {name}" for name, count in ended.items() if count)
    retries, repeats = sum(one.retries for one in done), sum(one.repeats for one in done)
    again = f"{_count(retries, 'retry', 'retries')}, {pluralise(repeats, 'repeat')}"
    return f"{pluralise(trials, 'trial')}: {counts}. {again}."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _table(done: Sequence[Effort]) -> Table:
    names = [name for name in figures.order(done) if any(one.outcomes.get(name) for one in done)]
    rows: list[Mapping[str, Cell]] = [
        {
            "run": one.run,
            "phase": one.phase,
            "trials": one.trials,
            **{name: one.outcomes.get(name, 0) for name in names},
            "retries": one.retries,
            "repeats": one.repeats,
            "median_seconds": float(np.median(one.seconds)) if one.seconds else None,
            "longest_seconds": max(one.seconds, default=None),
            "worker_hours": one.hours,
        }
        for one in done
    ]
    columns = [
        Column("run", "Run"),
        Column("phase", "Phase"),
        Column("trials", "Trials"),
        *(Column(name, name, "", str, TERMS.get(name, "")) for name in names),
        Column("retries", "Retries", "", str, TERMS["interrupted"]),
        Column("repeats", "Repeats", "", str, TERMS["repeat"]),
        Column("median_seconds", "Median training", "s", _digits),
        Column("longest_seconds", "Longest", "s", _digits),
        Column("worker_hours", "Worker time", "h", lambda value: f"{value:.2f}"),
    ]
    return Table("outcomes", "How trials ended", columns, rows)


def _outcomes(done: Sequence[Effort]) -> Figure:
    counts = "; ".join(
        f"{one.run}, {one.phase}: " + ", ".join(f"{number} {name}" for name, number in one.outcomes.items())
        for one in done
    )
    return Figure(
        "health-outcomes", "Outcomes by phase", f"How the trials of each phase ended. {counts}.",
        f"Bars of the shares of outcomes. {counts}.", lambda axes: figures.outcomes(done, axes[0]),
        size=(7.0, 1.3 + 0.6 * len(done)),
    )  # fmt: skip


def _seconds(done: Sequence[Effort]) -> Figure:
    ranges = "; ".join(
        f"{one.run}, {one.phase}: {_digits(float(np.median(one.seconds)))} s, from {_digits(min(one.seconds))} to "
        f"{_digits(max(one.seconds))}"
        for one in done
    )
    return Figure(
        "health-seconds", "Seconds per training", f"A dot is a training, the line the median. {ranges}.",
        f"Dots of the trainings' worker seconds, by phase. Medians and ranges: {ranges}.",
        lambda axes: figures.seconds(done, axes[0]), size=(7.0, 1.0 + 0.75 * len(done)),
    )  # fmt: skip


def _utilisation(line: Timeline) -> Figure:
    share, length = f"{100 * line.utilisation:.0f} %", format_duration(line.length, 0)
    cut = _count(len(line.pauses), "stretch", "stretches")
    pauses = f" Cut out: {cut} without a complete training." if line.pauses else ""
    busy = f"{pluralise(line.lanes, 'worker')} were busy {share} of {length}."
    return Figure(
        f"health-workers-{slug(line.run)}", f"Workers over time: {line.run}",
        f"{busy} Gaps are start-up, the end of a phase, and waiting.{pauses}",
        f"Above, bars of the trainings on each worker; below, the share of busy workers over time. {busy}",
        partial(figures.utilisation, line), (2, 1), (7.0, 2.6 + 0.28 * min(line.lanes, figures.MAX_LANES)),
    )  # fmt: skip


def _failed(run: RunData) -> list[Mapping[str, Cell]]:
    rows: list[Mapping[str, Cell]] = []
    for study, frame in run.trials.items():
        if not len(frame):
            continue
        bad = frame[~texts(frame, "outcome").isin(FINE)]
        cells = zip(numbers(bad, "number"), texts(bad, "outcome"), texts(bad, "reason", ""), strict=True)
        for number, outcome, reason in cells:
            place = None if number != number else int(number)  # noqa: PLR0124 (nan differs from itself)
            rows.append({
                "run": run.name, "phase": PHASES.get(study, study), "number": place, "outcome": outcome,
                "reason": reason,
            })  # fmt: skip
    return rows


def _failures(rows: Sequence[Mapping[str, Cell]]) -> Table:
    columns = (
        Column("run", "Run"),
        Column("phase", "Phase"),
        Column("number", "Trial"),
        Column("outcome", "Outcome"),
        Column("reason", "Reason"),
    )
    return Table("not-finished", "Trials without a result", columns, rows)


def _missing(runs: Sequence[RunData], lines: Sequence[Timeline]) -> list[str]:
    found = [f"{run.name}: {note}" for run in runs for note in dict.fromkeys(run.notes)]
    timed = {line.run for line in lines}
    for run in runs:
        if run.name not in timed and efforts(run):
            found.append(f"{run.name}: worker times; they are in ledger.db, which is missing")
    return found


def _digits(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"

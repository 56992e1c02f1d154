"""Step times for benchmarks/recipes: every network's training step, timed in turns, kept in the run folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.recipes.studies import Study
from search_spaces.common.files import atomic_write
from studies.timing.step_clock import StepClock
from studies.timing.timer import thread_count

WARMUP, RUNS = 2, 5


def step_times(study: Study, path: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of a training step on one thread, by arm and round; taken from the file where it has as many rounds.

    A round times each arm's network once, the median of some steps: what else the machine does in a round hits all.
    """
    known = read(path)
    if [len(known.get(arm.name, ())) for arm in study.arms] == [rounds] * len(study.arms):
        return known
    times: dict[str, list[float]] = {arm.name: [] for arm in study.arms}
    with thread_count(1):
        for _ in range(rounds):
            for arm in study.arms:
                recipe = arm.recipe(study.recipe)
                clock = StepClock.here(recipe, recipe.batch_size, RUNS, WARMUP, folder="")
                times[arm.name].append(clock.whole(arm.arch))
    write(path, times)
    return times


def read(path: Path) -> dict[str, list[float]]:
    """What `write` wrote; nothing where there is no file."""
    if not path.exists():
        return {}
    times: dict[str, list[float]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            times.setdefault(row["arm"], []).append(float(row["seconds"]))
    return times


def write(path: Path, times: Mapping[str, Sequence[float]]) -> None:
    """Write a line an arm and round, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("arm", "round", "seconds"))
    writer.writerows((arm, number, seconds) for arm, row in times.items() for number, seconds in enumerate(row))
    atomic_write(path, text.getvalue())

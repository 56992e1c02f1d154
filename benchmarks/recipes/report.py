"""What benchmarks/recipes found: a row an arm, differences to the first arm, as a table, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.recipes.studies import Arm, Study
from search_spaces.common.text import align_columns, pluralise
from search_spaces.common.units import format_bytes, format_count
from search_spaces.metrics.counts import cost
from search_spaces.metrics.memory import training_memory
from studies.ledger.trial import Record
from studies.runs.folder import RunFolder
from studies.statistics.comparisons import Contrast, contrasts
from studies.statistics.intervals import Estimate, paired_difference, pooled_intervals

ACCURACY = ("", "FLOPs", "params", "accuracy", "difference (points)")
TRAINING, STEP, MEMORY = ("training", "ratio", "of processor", "ratio"), ("step", "ratio"), ("memory", "ratio")
MEASURED = ("accuracy", "test_accuracy", "loss", "images", "train_seconds", "cpu_seconds")


@dataclass(frozen=True)
class Row:
    """An arm and what its trainings gave, all in the same order of seeds; ratios are to the study's first arm.

    accuracy  on the test images, its interval pooled over all arms
    contrast  the first arm's accuracy - this one's; None for the first
    wall, cpu, step  mean seconds of a training, of its processor, of a step, each with its ratio
    memory    bytes of a training step
    """

    arm: Arm
    accuracy: Estimate
    contrast: Contrast | None
    wall: tuple[float, Estimate]
    cpu: tuple[float, Estimate]
    step: tuple[float, Estimate] | None
    memory: int


def write_files(
    study: Study, name: str, records: Sequence[Record], steps: Mapping[str, list[float]], run: RunFolder
) -> str:
    """Write trainings.csv, result.json and result.txt; returns the latter. ValueError for fewer than two whole blocks.

    A seed counts where every arm was trained with it to the end.
    """
    run.write("trainings.csv", _csv(records))
    seeds = _whole_blocks(study, records)
    if len(seeds) < 2:
        raise ValueError(f"only {pluralise(len(seeds), 'seed')} trained with every arm to the end: see trials.csv")
    rows = _rows(study, [record for record in records if record.seed in seeds], steps)
    text = _text(study, name, rows, len(seeds))
    run.write("result.json", json.dumps([_plain(row) for row in rows], indent=2) + "\n")
    run.write("result.txt", text + "\n")
    return text


def _whole_blocks(study: Study, records: Sequence[Record]) -> list[int]:
    trained = {(record.key, record.seed) for record in records}
    seeds = sorted({record.seed for record in records})
    return [seed for seed in seeds if all((arm.key, seed) in trained for arm in study.arms)]


def _rows(study: Study, records: Sequence[Record], steps: Mapping[str, list[float]]) -> list[Row]:
    def values(field: str) -> dict[str, list[float]]:
        ordered = sorted(records, key=lambda record: record.seed)
        return {arm.name: [r.rungs[-1][field] for r in ordered if r.key == arm.key] for arm in study.arms}

    accuracies, first = values("test_accuracy"), study.arms[0].name
    judged = contrasts(accuracies, first)
    estimates = pooled_intervals(list(accuracies.values()))
    wall, cpu = values("train_seconds"), values("cpu_seconds")
    return [
        Row(
            arm=arm,
            accuracy=estimate,
            contrast=judged.get(arm.name),
            wall=_timed(wall, arm.name, first),
            cpu=_timed(cpu, arm.name, first),
            step=_timed(steps, arm.name, first) if steps else None,
            memory=_memory(arm, study),
        )
        for arm, estimate in zip(study.arms, estimates, strict=True)
    ]


def _timed(seconds: Mapping[str, Sequence[float]], name: str, first: str) -> tuple[float, Estimate]:
    """The mean, and the geometric mean of the paired ratios to the first arm's, with its 95 % interval."""
    ratio = paired_difference(np.log(seconds[name]), np.log(seconds[first]))
    value, low, high = (float(np.exp(end)) for end in (ratio.value, ratio.low, ratio.high))
    return float(np.mean(seconds[name])), Estimate(value, low, high, ratio.n)


def _memory(arm: Arm, study: Study) -> int:
    recipe = arm.recipe(study.recipe)
    kept = bool(recipe.ema_decay)
    return training_memory(arm.arch, recipe.batch_size, optimizer=recipe.optimizer, ema=kept).total


def _text(study: Study, name: str, rows: Sequence[Row], seeds: int) -> str:
    recipe, base, pixels = study.recipe, rows[0], study.arms[0].arch.resolution
    title = (
        f"{name}: {pluralise(seeds, 'seed')}, {recipe.epochs} x {study.images:,} images of {pixels} px, "
        f"batch {recipe.batch_size}; accuracy on test images, FLOPs are multiply-adds"
    )
    judged = [row.contrast for row in rows if row.contrast]
    parts = (
        title,
        align_columns((), [ACCURACY, *map(_accuracy, rows)]),
        align_columns(
            (), [("", *TRAINING, *(STEP if base.step else ()), *MEMORY), *(_costs(row, base) for row in rows)]
        ),
        "Ratios are to the first row, paired over seeds (a step's over rounds), with 95 % intervals.",
        "\n".join(one.sentence(base.arm.name, row.arm.name) for one, row in zip(judged, rows[1:], strict=True)),
        judged[0].warning,
    )
    return "\n\n".join(filter(None, parts))


def _accuracy(row: Row) -> tuple[str, ...]:
    spent = cost(row.arm.arch)
    counts = (format_count(number, 4) for number in (spent.macs, spent.params))
    return (row.arm.name, *counts, row.accuracy.percent, _points(row.contrast))


def _costs(row: Row, base: Row) -> tuple[str, ...]:
    def ratio(of: Estimate) -> str:
        return "" if row is base else f"{of.value:.2f} [{of.low:.2f}, {of.high:.2f}]"

    times = [f"{row.wall[0]:.1f} s", ratio(row.wall[1]), f"{row.cpu[0]:.1f} s", ratio(row.cpu[1])]
    times += [f"{1000 * row.step[0]:.1f} ms", ratio(row.step[1])] if row.step else []
    return (row.arm.name, *times, format_bytes(row.memory, 3), f"{row.memory / base.memory:.2f}")


def _points(contrast: Contrast | None) -> str:
    """An arm - the first one: the contrast's difference the other way round."""
    if contrast is None:
        return ""
    gap = contrast.difference
    # Adding 0 turns -0 into 0.
    value, low, high = (round(-100 * end, 1) + 0.0 for end in (gap.value, gap.high, gap.low))
    return f"{value:+.1f} [{low:.1f}, {high:.1f}]"


def _plain(row: Row) -> dict[str, Any]:
    """The row as JSON values, in raw units; differences are the first arm's accuracy - this one's."""
    spent, times = cost(row.arm.arch), {"wall": row.wall, "cpu": row.cpu, "step": row.step}
    measured = {name: {"seconds": time[0], "ratio": time[1].to_dict()} for name, time in times.items() if time}
    return {
        "arm": row.arm.name,
        "arch": json.loads(row.arm.arch.to_json()),
        "recipe": dict(row.arm.changes),
        "macs": spent.macs,
        "params": spent.params,
        "training_bytes": row.memory,
        "test_accuracy": row.accuracy.to_dict(),
        "difference": row.contrast and row.contrast.difference.to_dict(),
        "verdict": row.contrast and row.contrast.verdict,
        "p_permutation": row.contrast and row.contrast.p_permutation,
        **measured,
    }


def _csv(records: Sequence[Record]) -> str:
    """A line a training, in raw units."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("arm", "seed", "macs", "params", *MEASURED))
    for one in records:
        spent = (one.metrics[name] for name in ("macs", "params"))
        writer.writerow((one.proposed_by, one.seed, *spent, *(one.rungs[-1][name] for name in MEASURED)))
    return text.getvalue()

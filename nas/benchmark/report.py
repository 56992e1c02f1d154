"""The text of a benchmark: what is run, and the regrets of its samplers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nas.benchmark.analysis import BenchmarkResult
from nas.benchmark.objective import MEASURED, TableObjective
from nas.benchmark.plan import Benchmark
from search_spaces.common.units import format_count

LABELS = {"observed": "best seen", "recommended": "its own choice"}


def describe(benchmark: Benchmark) -> str:
    """The table and the searches on it, in two lines."""
    table = benchmark.table
    fewest, most = int(table.repetitions.min()), int(table.repetitions.max())
    repetitions = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    repeats = "repeats are free" if benchmark.free else "every proposal is a trial"
    return (
        f"{table.name}: {len(table.truth)} networks ({table.space.size} encodings), each measured {repetitions} times, "
        f"best mean {table.truth.max():.4g}\n"
        f"{benchmark.trials} trials, {len(benchmark.seeds)} seeds, {repeats}"
    )


def report(found: Sequence[BenchmarkResult], at: Sequence[int], objectives: Sequence[TableObjective]) -> str:
    """One table per score: regrets of samplers at some trials, regret of the largest network, seconds per proposal."""
    tables = ((objective, [row for row in found if row.score == objective.name]) for objective in objectives)
    return "\n\n".join(_table(rows, at, objective) for objective, rows in tables)


def _table(found: Sequence[BenchmarkResult], at: Sequence[int], objective: TableObjective) -> str:
    rows = [["sampler", "chosen by", *(f"@{trial}" for trial in at), "s/proposal", "late"]]
    digits = _digits([row.mean[trial - 1] for row in found for trial in at])
    for row in found:
        cells = [_cell(row.mean[trial - 1], row.half[trial - 1], digits) for trial in at]
        rows.append([row.sampler, LABELS[row.chosen], *cells, f"{row.seconds:.4f}", f"{row.late_seconds:.4f}"])
    if objective.regret_of_largest is not None:
        rows.append(["largest network", "no search", *[f"{objective.regret_of_largest:.{digits}f}"] * len(at), "", ""])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(_aligned(row, widths)).rstrip() for row in rows)
    return "\n".join([_title(found, objective), *lines])


def _title(found: Sequence[BenchmarkResult], objective: TableObjective) -> str:
    unit = objective.table.unit
    what = f"mean regret in {unit}" if objective.name == MEASURED else f"mean regret of the reward in {unit}"
    if objective.reward is not None:
        what += f", {objective.reward} with T = {format_count(objective.target, 4)} multiply-adds"
    seeds = len(found[0].seeds) if found else 0
    return f"{objective.name}: {what} (± 95 %, {seeds} seeds)"


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    return [cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in
            enumerate(zip(row, widths, strict=True))]  # fmt: skip


def _digits(means: Sequence[float]) -> int:
    """Decimal places: at least three, and more if the largest regret is small, so that it has three digits."""
    largest = max((mean for mean in means if np.isfinite(mean) and mean > 0), default=1.0)
    return max(3, 2 - math.floor(math.log10(largest)))


def _cell(mean: float, half: float, digits: int) -> str:
    if not np.isfinite(mean):
        return "-"
    return f"{mean:.{digits}f}" if not np.isfinite(half) else f"{mean:.{digits}f} ± {half:.{digits}f}"

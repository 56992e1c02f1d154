"""What a benchmark found: mean regrets with intervals, and what a suggestion costs, as values, JSON, CSV and text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.benchmark.objective import MEASURED, TableObjective
from nas.benchmark.simulate import Trace
from nas.tables.table import Floats

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
CHOSEN = ("observed", "recommended")
LABELS = {"observed": "best seen", "recommended": "its own choice"}
LAST = 0.1  # share of the trials that the cost of a late suggestion is taken over


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """One sampler on one score, over all seeds.

    chosen        "observed" or "recommended", see `Trace`
    mean          [trials] mean regret; NaN before the first recommendation
    half          [trials] half the width of its 95 % interval (Student's t over seeds); NaN for one seed
    regrets       [seeds, trials], in the order of `seeds`
    seconds       mean seconds of a suggestion
    late_seconds  the same over the last tenth of the trials
    """

    sampler: str
    score: str
    chosen: str
    seeds: tuple[int, ...]
    mean: Floats
    half: Floats
    regrets: Floats
    seconds: float
    late_seconds: float


def results_of(traces: Sequence[Trace]) -> list[BenchmarkResult]:
    """Standings in the order in which scores and samplers first come; a choice that nobody made is left out."""
    groups: dict[tuple[str, str], list[Trace]] = {}
    for trace in traces:
        groups.setdefault((trace.aim, trace.sampler), []).append(trace)
    found = [_result_of(sorted(group, key=lambda t: t.seed), chosen) for group in groups.values() for chosen in CHOSEN]
    return [standing for standing in found if np.isfinite(standing.mean).any()]


def _result_of(group: list[Trace], chosen: str) -> BenchmarkResult:
    from scipy.stats import t

    regrets = np.stack([getattr(trace, chosen) for trace in group])
    seconds = np.stack([trace.seconds for trace in group])
    half = np.full(regrets.shape[1], np.nan)
    if len(group) > 1:
        spread = regrets.std(axis=0, ddof=1) / np.sqrt(len(group))
        half = float(t.ppf((1 + LEVEL) / 2, len(group) - 1)) * spread
    late = seconds[:, -max(1, round(LAST * seconds.shape[1])) :]
    return BenchmarkResult(
        group[0].sampler, group[0].aim, chosen, tuple(trace.seed for trace in group), regrets.mean(axis=0), half,
        regrets, float(seconds.mean()), float(late.mean()),
    )  # fmt: skip


def frame(found: Sequence[BenchmarkResult]) -> pd.DataFrame:
    """The curves: one row for each standing and trial."""
    import pandas as pd

    parts = [
        pd.DataFrame(
            {
                "score": standing.score,
                "sampler": standing.sampler,
                "chosen": standing.chosen,
                "trial": np.arange(1, len(standing.mean) + 1),
                "mean_regret": standing.mean,
                "half_interval": standing.half,
            }
        )
        for standing in found
    ]
    return pd.concat(parts, ignore_index=True)


def plain_results(found: Sequence[BenchmarkResult], at: Sequence[int]) -> list[dict[str, Any]]:
    """The standings at some trials as plain values, with the regrets of every seed, so that others can compare."""
    return [
        {
            **{key: value for key, value in asdict(standing).items() if key not in ("mean", "half", "regrets")},
            "regret": {
                str(trial): {
                    "mean": _plain(standing.mean[trial - 1]),
                    "half_interval": _plain(standing.half[trial - 1]),
                    "seeds": [_plain(value) for value in standing.regrets[:, trial - 1]],
                }
                for trial in at
            },
        }
        for standing in found
    ]


def text(found: Sequence[BenchmarkResult], at: Sequence[int], aims: Sequence[TableObjective]) -> str:
    """One table for each score: samplers against trials, largest network without a search, seconds a suggestion."""
    return "\n\n".join(_table([row for row in found if row.score == aim.name], at, aim) for aim in aims)


def _table(found: Sequence[BenchmarkResult], at: Sequence[int], aim: TableObjective) -> str:
    rows = [["sampler", "chosen by", *(f"@{trial}" for trial in at), "s/suggestion", "late"]]
    digits = _digits([row.mean[trial - 1] for row in found for trial in at])
    for row in found:
        cells = [_cell(row.mean[trial - 1], row.half[trial - 1], digits) for trial in at]
        rows.append([row.sampler, LABELS[row.chosen], *cells, f"{row.seconds:.4f}", f"{row.late_seconds:.4f}"])
    if aim.regret_of_largest is not None:
        rows.append(["largest network", "no search", *[f"{aim.regret_of_largest:.{digits}f}"] * len(at), "", ""])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(_aligned(row, widths)).rstrip() for row in rows)
    return "\n".join([_title(found, aim), *lines])


def _title(found: Sequence[BenchmarkResult], aim: TableObjective) -> str:
    from search_spaces.common.units import format_count

    unit = aim.table.unit
    what = f"mean regret in {unit}" if aim.name == MEASURED else f"mean regret of the reward in {unit}"
    if aim.objective is not None:
        what += f", {aim.objective} with T = {format_count(aim.objective.target, 4)} multiply-adds"
    seeds = len(found[0].seeds) if found else 0
    return f"{aim.name}: {what} (± 95 %, {seeds} seeds)"


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    return [cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in
            enumerate(zip(row, widths, strict=True))]  # fmt: skip


def _digits(means: Sequence[float]) -> int:
    """Decimal places: three, and more where the greatest is so small, as losses' can be, that fewer show nothing."""
    greatest = max((mean for mean in means if np.isfinite(mean) and mean > 0), default=1.0)
    return max(3, 2 - math.floor(math.log10(greatest)))


def _cell(mean: float, half: float, digits: int) -> str:
    if not np.isfinite(mean):
        return "-"
    return f"{mean:.{digits}f}" if not np.isfinite(half) else f"{mean:.{digits}f} ± {half:.{digits}f}"


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None

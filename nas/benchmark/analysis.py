"""The results of a benchmark: mean regrets with confidence intervals, and seconds per proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.benchmark.simulate import Trace
from nas.tables.table import Floats

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
CHOSEN = ("observed", "recommended")
LATE_SHARE = 0.1  # share of the trials that `late_seconds` is the mean of


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """One sampler on one score, over all seeds.

    chosen        "observed" or "recommended", see `Trace`
    mean          [trials] mean regret; NaN before the first recommendation
    half          [trials] half the width of its 95 % interval (Student's t over seeds); NaN for one seed
    regrets       [seeds, trials], in the order of `seeds`
    seconds       mean seconds per proposal
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
    """Results in the order in which scores and samplers first come; without recommendations that no search made."""
    groups: dict[tuple[str, str], list[Trace]] = {}
    for trace in traces:
        groups.setdefault((trace.score, trace.sampler), []).append(trace)
    found = [_result_of(sorted(group, key=lambda t: t.seed), chosen) for group in groups.values() for chosen in CHOSEN]
    return [result for result in found if np.isfinite(result.mean).any()]


def _result_of(group: list[Trace], chosen: str) -> BenchmarkResult:
    from scipy.stats import t

    regrets = np.stack([getattr(trace, chosen) for trace in group])
    seconds = np.stack([trace.seconds for trace in group])
    half = np.full(regrets.shape[1], np.nan)
    if len(group) > 1:
        spread = regrets.std(axis=0, ddof=1) / np.sqrt(len(group))
        half = float(t.ppf((1 + LEVEL) / 2, len(group) - 1)) * spread
    late = seconds[:, -max(1, round(LATE_SHARE * seconds.shape[1])) :]
    return BenchmarkResult(
        group[0].sampler, group[0].score, chosen, tuple(trace.seed for trace in group), regrets.mean(axis=0), half,
        regrets, float(seconds.mean()), float(late.mean()),
    )  # fmt: skip


def frame(found: Sequence[BenchmarkResult]) -> pd.DataFrame:
    """The curves: one row for each result and trial."""
    import pandas as pd

    parts = [
        pd.DataFrame(
            {
                "score": result.score,
                "sampler": result.sampler,
                "chosen": result.chosen,
                "trial": np.arange(1, len(result.mean) + 1),
                "mean_regret": result.mean,
                "half_interval": result.half,
            }
        )
        for result in found
    ]
    return pd.concat(parts, ignore_index=True)


def plain_results(found: Sequence[BenchmarkResult], at: Sequence[int]) -> list[dict[str, Any]]:
    """The results at some trials as plain values, with the regret of every seed."""
    return [
        {
            **{key: value for key, value in asdict(result).items() if key not in ("mean", "half", "regrets")},
            "regret": {
                str(trial): {
                    "mean": _plain(result.mean[trial - 1]),
                    "half_interval": _plain(result.half[trial - 1]),
                    "seeds": [_plain(value) for value in result.regrets[:, trial - 1]],
                }
                for trial in at
            },
        }
        for result in found
    ]


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None

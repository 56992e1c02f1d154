"""One benchmark: the searches that are missing in its folder, their results, and the report."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from nas.benchmark.config import SEARCH_SETTINGS, BenchmarkConfig
from nas.benchmark.plan import Benchmark
from nas.benchmark.processes import run_searches
from nas.benchmark.simulate import MakeOptimizer, Trace
from search_spaces.common.settings import own_code
from search_spaces.common.user_code import digests

if TYPE_CHECKING:
    from nas.benchmark.analysis import BenchmarkResult
    from nas.benchmark.files import FinishedSearches


def run_benchmark(config: BenchmarkConfig, make: MakeOptimizer, samplers: tuple[str, ...]) -> list[BenchmarkResult]:
    """Compare the samplers, whose optimizers `make` makes; print the results and write them to the run folder.

    Raises ValueError, before the first search, for an invalid table, score, sampler or folder.
    """
    from nas.benchmark import files
    from nas.benchmark.analysis import results_of
    from nas.benchmark.report import describe, report

    benchmark = Benchmark.of(config, make, samplers)
    settings = files.fingerprint(benchmark.table, make) | {name: getattr(config, name) for name in SEARCH_SETTINGS}
    settings |= {"cost_band": config.band and [*config.band], "code": digests(own_code(config))}
    with files.opened(config.run, settings, anew=config.new) as searches:
        print(describe(benchmark), flush=True)
        results = results_of(_ordered(_run_missing(benchmark, config, searches), benchmark))
        text = report(results, config.reported_trials, benchmark.objectives)
        files.write_files(config, results, benchmark.objectives, f"{describe(benchmark)}\n\n{text}\n")
        searches.discard()
    print(f"\n{text}\n\nwritten to {config.run}: results.json, curves.csv, regret.svg, report.txt")
    return results


def _run_missing(benchmark: Benchmark, config: BenchmarkConfig, searches: FinishedSearches) -> list[Trace]:
    """All traces, those of earlier commands included."""
    from rich.progress import track

    wanted = set(benchmark.searches)
    found = {trace.search: trace for trace in searches.traces if trace.search in wanted}
    left = len(wanted) - len(found)
    if found:
        print(f"{len(found)} of {len(wanted)} searches were made by an earlier command", flush=True)
    workers = max(1, min(left, config.workers or os.cpu_count() or 1))
    with closing(run_searches(benchmark, workers, found)) as running:
        for trace in track(running, description="searching", total=left, transient=True):
            searches.add(trace)
            found[trace.search] = trace
    return list(found.values())


def _ordered(traces: list[Trace], benchmark: Benchmark) -> list[Trace]:
    """The traces in the order of the flags, whichever search ended first."""
    return sorted(traces, key=lambda t: (benchmark.scores.index(t.score), benchmark.samplers.index(t.sampler)))

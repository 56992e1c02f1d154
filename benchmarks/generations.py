"""What --deterministic costs: python benchmarks/generations.py runs/compare/*/trials.csv [--workers 2 4 8].

Replays the training times of real searches in the order of their proposals: each trial goes to the next free worker,
or workers wait at the end of each generation. Prints the share of worker time that is idle. Early stopping is taken
from the search; with other generations it could have stopped other trials.
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from nas.search.config import GENERATION
from studies.statistics.intervals import mean_interval


def main() -> None:
    """Print the idle share of each number of workers, mean and interval over the searches."""
    arguments = _arguments()
    searches = [pd.read_csv(file).sort_values("proposal_index")["seconds"].tolist() for file in arguments.trials]
    print(f"{len(searches)} searches of {len(searches[0])} candidates\n{'workers':>8}  {'free':30}  in generations")
    for workers in arguments.workers:
        free = mean_interval([_idle(seconds, workers, len(seconds)) for seconds in searches])
        held = mean_interval([_idle(seconds, workers, GENERATION) for seconds in searches])
        print(f"{workers:>8}  {free!s:30}  {held}")


def _idle(seconds: Sequence[float], workers: int, together: int) -> float:
    """The idle share of worker time when so many trials are handed out before all workers wait for one another."""
    generations = [seconds[begin : begin + together] for begin in range(0, len(seconds), together)]
    span = sum(_span(generation, workers) for generation in generations)
    return 1 - sum(seconds) / (workers * span)


def _span(seconds: Sequence[float], workers: int) -> float:
    """When the last worker is done; each takes the next trial when it is free."""
    ends = [0.0] * workers
    for trial in seconds:
        heapq.heapreplace(ends, ends[0] + trial)
    return max(ends)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", type=Path, nargs="+", help="trials.csv of searches")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 3, 4, 8])
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""How long scaling takes without any training: solving for a cost, and a grid of coefficients with realised costs.

`solve` is timed for each baseline and strategy at 1.5, 2, 4 and 8 times the baseline's multiply-adds: the first call,
which also fills the caches of layer costs, and then, warm, the median and the slowest. The grid is every point of a
lattice: enumerated, scaled at phi = 1, deduplicated, and its networks' multiply-adds, from cold caches and once more.

Usage: python benchmarks/scaling_costs.py [--repetitions 5] [--points 10000]
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

os.environ["OMP_NUM_THREADS"] = "1"  # numpy reads it when it is imported

import search_spaces as ss
from scaling.grid.lattice import Lattice, scaled
from search_spaces.resizing import shapes
from search_spaces.resizing.matching import solve
from search_spaces.resizing.registry import STRATEGIES, get_strategy
from search_spaces.resizing.rounding import Rounding

BASELINES = ("efficientnet_b0", "mobilenet_v2", "mnasnet_a1")
MULTIPLES = (1.5, 2, 4, 8)


def main() -> None:
    arguments = _arguments()
    _solve(arguments.repetitions)
    print()
    _grid(arguments.points)


def _solve(repetitions: int) -> None:
    print("| baseline | strategy | `solve`, first call, ms | warm, median ms | warm, slowest ms | largest miss |")
    print("|---|---|---|---|---|---|")
    for baseline, name in itertools.product(BASELINES, STRATEGIES):
        arch, strategy = ss.get(baseline), get_strategy(name)
        targets = [round(multiple * ss.cost(arch).macs) for multiple in MULTIPLES]
        calls = [partial(solve, arch, strategy, target) for target in targets]
        _forget()
        cold = _seconds(calls[0])
        miss = max(abs(call().miss) for call in calls)
        times = [1e3 * _seconds(call) for call in calls for _ in range(repetitions)]
        warm = f"{statistics.median(times):.1f} | {max(times):.1f}"
        print(f"| {baseline} | {name} | {1e3 * cold:.1f} | {warm} | {miss:.2%} |", flush=True)


def _grid(points: int) -> None:
    """Enumerate, scale, deduplicate and cost a lattice of at least so many points."""
    lattice = _lattice(points)
    print("| baseline | points | networks | cold, ms | warm, ms |")
    print("|---|---|---|---|---|")
    for baseline in BASELINES:
        call = partial(_costs, lattice, ss.get(baseline))
        _forget()
        cold = _seconds(call)
        warm = min(_seconds(call) for _ in range(3))
        found, networks = call()
        print(f"| {baseline} | {found:,} | {networks:,} | {1e3 * cold:.0f} | {1e3 * warm:.0f} |")


def _costs(lattice: Lattice, arch: ss.Arch) -> tuple[int, int]:
    """Number of points and of different networks, whose multiply-adds have been found."""
    points = lattice.points()
    forms = scaled(arch, points, 1.0, Rounding())
    first, _ = forms.distinct()
    return len(points), len(forms.take(first).macs())


def _lattice(points: int) -> Lattice:
    """The coarsest of ever finer lattices that has so many points."""
    step = 0.1
    while len((lattice := Lattice(step=step)).points()) < points:
        step *= 0.95
    return lattice


def _forget() -> None:
    """Empty the caches of layer costs."""
    for cache in (shapes._layer, shapes._stem, shapes._head):
        cache.cache_clear()


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5, help="of each warm call of solve")
    parser.add_argument("--points", type=int, default=10_000, help="of the grid, at least")
    return parser.parse_args()


if __name__ == "__main__":
    main()

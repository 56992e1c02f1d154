"""The cost of samplers, besides trainings: python benchmarks/suggestions.py [--trials 2000] [--study-trials 500].

`optimize` on a table of 15 625 networks, for random and evolution: trials a second, and by how much the process grows
meanwhile. Then seconds per proposal in a study of 500 trials, on the MnasNet space (1.25e18 encodings)
in a band of 320M to 420M multiply-adds: the first one of a process fits, or replays, what the study holds. The last
column is what the process grows by in the latter half of them. One core.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time

os.environ["OMP_NUM_THREADS"] = "1"  # numpy reads it when it is imported

import psutil

import search_spaces as ss
from nas import optimize
from nas.samplers import registry as samplers

BAND = (320_000_000, 420_000_000)
WITHIN = {"macs": BAND}
EDGES, OPERATIONS = 6, ("none", "skip", "conv1", "conv3", "pool")
FURTHER = 20  # proposals after the first


def main() -> None:
    arguments = _arguments()
    rows = itertools.product(OPERATIONS, repeat=EDGES)
    table = {row: sum(map(len, row)) / 100 + 0.001 * place % 0.01 for place, row in enumerate(rows)}
    print("optimize on a table  trials a second  process grows by")
    for sampler in ("random", "evolution"):
        rate, growth = _optimize(table, sampler, arguments.trials)
        print(f"{sampler:20} {rate:15,.0f}  {growth / 2**20:12.1f} MiB in {arguments.trials} trials")
    print(f"\na proposal in a study of {arguments.study_trials} trials")
    space = ss.space("mnasnet")
    study = optimize(space, _score, sampler="random", trials=arguments.study_trials, macs=BAND).study
    for name in samplers.SAMPLERS:
        sampler, seconds, memory = samplers.make(name, space, within=WITHIN, retrain=False), [], []
        for number in range(1 + FURTHER):
            began = time.perf_counter()
            sampler.draw(study, (0, number))
            seconds.append(time.perf_counter() - began)
            memory.append(_memory())
        growth = (memory[-1] - memory[FURTHER // 2]) / 2**20
        print(f"{name:20} first {seconds[0]:.3f} s, then at most {max(seconds[1:]):.3f} s, {growth:+5.1f} MiB")


def _optimize(table: dict[tuple[str, ...], float], sampler: str, trials: int) -> tuple[float, int]:
    """Trials a second, and the bytes that the process has grown by."""
    choices = {f"edge{edge}": OPERATIONS for edge in range(EDGES)}
    space = ss.Space("table", choices, lambda choice: tuple(choice.values()))
    optimize(space, table.__getitem__, sampler=sampler, trials=100)  # imports and caches
    before, began = _memory(), time.perf_counter()
    optimize(space, table.__getitem__, sampler=sampler, trials=trials)
    return trials / (time.perf_counter() - began), _memory() - before


def _score(arch: ss.Arch) -> float:
    """Any value that follows from the network."""
    return int(arch.key, 16) / 2**64


def _memory() -> int:
    return int(psutil.Process().memory_full_info().uss)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--study-trials", type=int, default=500)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""What the ledger and Ray Tune cost: python benchmarks/orchestration.py [--trials 40 --seconds 8 --trivial 1000].

Two runs on the whole stack (ledger in SQLite, 42 choices as in MnasNet's space, early stopping, Ray workers). Trials of
a few seconds in three rungs show the share of worker-seconds that is spent in trials. Trivial trials show the seconds
of overhead of each, and the driver's memory as their number grows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from studies.ledger.halving import Halving
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal, Record
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Usage
from studies.workers.queue import Draws, TrialQueue

CHOICES = {f"block_{i}": (0, 1, 2, 3) for i in range(42)}
ARCH = "x" * 2500  # as long as an arch's JSON text


def draw(_number: int, seeds: tuple[int, ...]) -> Proposal:
    """A random choice, so that no two trials are the same."""
    values = np.random.default_rng(seeds).integers(4, size=len(CHOICES)).tolist()
    choice = dict(zip(CHOICES, values, strict=True))
    return Proposal(choice, "".join(map(str, values)), ARCH, {"macs": 1}, proposed_by="random")


def compute(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Three rungs of multiplying matrices for job["seconds"] in all."""
    generator = np.random.default_rng(job["seed"])
    matrix = generator.normal(size=(200, 200))
    for step in (1, 2, 3):
        end = time.perf_counter() + job["seconds"] / 3
        while time.perf_counter() < end:
            matrix @ matrix
        yield {"step": step, "accuracy": float(generator.uniform())}


def run(folder: str, trials: int, seconds: float, memory: dict[int, int]) -> Usage:
    """A search of that many trials; `memory` takes the driver's resident bytes after each hundred."""

    def watch(event: str, record: Record) -> None:
        if event == "end" and (record.number + 1) % 100 == 0:
            memory[record.number + 1] = psutil.Process().memory_info().rss

    url = f"sqlite:///{Path(folder) / f'{trials}.db'}"
    with Ledger.open(url, "search", CHOICES, pruner=Halving((1, 2)) if seconds else None) as ledger:
        plan, payload = Draws(trials, draw), {"seconds": seconds}
        jobs = TrialQueue(ledger, plan, lambda _, rung: rung["accuracy"], payload=payload, watch=watch)
        with WorkerPool(WorkersConfig()) as pool:
            return pool.run(jobs, compute)


def main() -> None:
    """Run both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--trivial", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        usage = run(folder, options.trials, options.seconds, {})
        print(f"{usage.jobs} trials of up to {options.seconds:g} s in three rungs, {usage.workers} workers:")
        print(f"  worker-seconds spent in trials   {usage.utilisation:.1%}")
        print(f"  overhead                         {usage.overhead:.3f} worker-seconds a trial")
        print(f"  until the first trial began      {usage.startup:.1f} s")
        memory: dict[int, int] = {}
        usage = run(folder, options.trivial, 0.0, memory)
        print(f"{usage.jobs} trivial trials:")
        print(f"  wall                             {usage.wall / usage.jobs:.3f} s a trial")
        sizes = ", ".join(f"{count}: {size / 2**20:.0f}" for count, size in memory.items())
        print(f"  driver's memory in MiB after     {sizes}")


if __name__ == "__main__":
    main()

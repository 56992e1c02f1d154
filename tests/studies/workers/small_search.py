"""A search without training, run as a process of its own by the tests of faults: python small_search.py DB [options].

Each trial's draw decides what it does (see `evaluate`); every start and every end is a line in DB.log.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np

from studies.ledger.halving import Halving
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal
from studies.outcome import InfeasibleError
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Usage
from studies.workers.queue import Draws, TrialQueue

CHOICES = {f"block_{i}": (0, 1, 2, 3) for i in range(6)}


def draw(number: int, seeds: tuple[int, ...]) -> Proposal:
    """A random choice."""
    generator = np.random.default_rng(seeds)
    choice = {name: int(generator.integers(4)) for name in CHOICES}
    key = "".join(map(str, choice.values()))
    return Proposal(choice, key, "{}", {"macs": 1}, proposed_by="random", notes={"draw": number})


def note(log: str, event: str, job: dict[str, Any]) -> None:
    """Add a line to the log: one write, whole even if the process dies right after."""
    line = json.dumps({"event": event, "id": job["id"], "draw": job["notes"]["draw"], "seed": job["seed"]})
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (line + "\n").encode())
    os.close(handle)


def die_once(job: dict[str, Any]) -> None:
    """Kill this process, the first time only."""
    marker = Path(f"{job['log']}.died.{job['id']}")
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def misbehave(job: dict[str, Any], step: int) -> float:
    """What the draw's number stands for, where --faults is given. Returns the accuracy."""
    accuracy = 0.3 + job["notes"]["draw"] / 100
    match job["notes"]["draw"] if job["faults"] else None, step:
        case 1, 2:
            raise TypeError("a bug in\nthe candidate")
        case 2, 2:
            return float("nan")
        case 3, 1:
            raise MemoryError
        case 4, 2:
            die_once(job)
        case 5, 2:
            os.kill(os.getpid(), signal.SIGKILL)
        case 6, 1:
            raise InfeasibleError("the last feature map is empty")
        case 7, 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    return accuracy


def environment() -> dict[str, str | None]:
    """What a worker's process may use."""
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")}


def evaluate(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Three rungs of sleep."""
    note(job["log"], "begin", job)
    for step in (1, 2, 3):
        time.sleep(job["sleep"])
        yield {"step": step, "accuracy": misbehave(job, step), "environment": environment()}
    note(job["log"], "end", job)


def search(
    db: Path | str, trials: int, *, sleep: float = 0.02, workers: int = 0, faults: bool = False, halving: bool = False
) -> Usage:
    """Run or resume the search; with 0 workers in this process."""
    pruner = Halving((1, 2), grace=4) if halving else None
    with Ledger.open(f"sqlite:///{db}", "search", CHOICES, settings={"space": "small"}, pruner=pruner) as ledger:
        payload = {"log": f"{db}.log", "sleep": sleep, "faults": faults}
        jobs = TrialQueue(ledger, Draws(trials, draw), lambda record, rung: rung["accuracy"], payload=payload)
        print("ready", flush=True)
        execution = WorkersConfig(number=workers, gpus_per_trial=0)
        with WorkerPool(execution) as pool:
            return pool.run(jobs, evaluate)


def main() -> None:
    """Run or resume the search."""
    parser = argparse.ArgumentParser()
    parser.add_argument("db")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--sleep", type=float, default=0.05)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--halving", action="store_true")
    options = parser.parse_args()
    usage = search(**vars(options))
    print(json.dumps({"jobs": usage.jobs, "utilisation": usage.utilisation, "overhead": usage.overhead}))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

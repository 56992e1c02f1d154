"""`python -m studies.train` on a tiny network: its flags, its metrics, the command under way."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces.networks.arch import Arch, Stage

TINY = Arch(stages=(Stage("mbconv", 3, 2, 8, 1, 2.0), Stage("sepconv", 3, 2, 12, 1)), stem=8, head=16, resolution=16)
PATIENCE = 120


def words(arch: Path, run: Path, *more: str) -> list[str]:
    base = "--recipe quick --images 200 --validation 100 --epochs 3 --batch-size 25 --cpus-per-worker 1 --device cpu"
    return [*base.split(), "--arch", str(arch), "--run", str(run), *more]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def curve(run: Path) -> list[tuple[str, ...]]:
    """What of a run's metrics does not depend on the clock."""
    names = ("seed", "epoch", "train_loss", "validation_loss", "validation_accuracy", "lr")
    return [tuple(row[name] for name in names) for row in rows(run)]


@contextmanager
def started(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The command under way; whatever happens, it does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, "-m", "studies.train", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_rows(run: Path, count: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not (run / "metrics.csv").exists() or len(rows(run)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "the training makes no progress"
        time.sleep(0.02)

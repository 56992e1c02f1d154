"""`--workers 0`: the search runs in the command's own process, without Ray, and finds what it finds with Ray."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = (
    "--target-flops 5M --space small --resolution 16 --proxy.width 0.25 --proxy.resolution 16 --proxy.images 100 "
    "--trials 8 --finalists 1 --finalist-seeds 1 --finalist-epochs 1 --gpus-per-trial 0 --deterministic"
)
SCRIPT = "import sys; from nas.search.__main__ import main; code = main(sys.argv[1:]); print('ray' in sys.modules)"


def search(run: Path, workers: int) -> str:
    """Run the search; returns what it printed, with whether Ray was imported in the last line."""
    command = [sys.executable, "-c", SCRIPT, *WORDS.split(), "--run", str(run), "--workers", str(workers)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def results(table: Path) -> list[list[str]]:
    names = ("number", "phase", "outcome", "value", "accuracy", "loss", "macs", "key", "seed", "proposed_by", "step")
    with table.open(newline="") as file:
        return [[row[name] for name in names] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_a_search_without_ray_has_the_trials_of_one_with_ray(tmp_path: Path) -> None:
    alone, together = search(tmp_path / "alone", 0), search(tmp_path / "together", 1)
    assert alone.splitlines()[-1] == "False"
    assert together.splitlines()[-1] == "True"
    for name, count in (("trials.csv", 8), ("finalists.csv", 1)):
        found = results(tmp_path / "alone" / name)
        assert len(found) == count
        assert found == results(tmp_path / "together" / name)

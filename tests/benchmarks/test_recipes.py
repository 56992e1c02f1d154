"""The benchmark of recipes names a mistake by its flag, before anything is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_fewer_epochs_than_stages_are_refused_by_the_flag(tmp_path: Path) -> None:
    words = ("--study", "progressive", "--epochs", "2", "--run", str(tmp_path / "run"))
    command = [sys.executable, "-m", "benchmarks.recipes", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    # ENv2, Table 6: four stages.
    assert done.stderr.startswith("error: --epochs must be at least 4,")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())

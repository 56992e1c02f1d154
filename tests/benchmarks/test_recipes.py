"""The benchmark of recipes tells a mistake by its flag, before anything is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "recipes.py"


def test_fewer_epochs_than_stages_are_told_by_the_flag(tmp_path: Path) -> None:
    words = ("--study", "progressive", "--epochs", "2", "--run", str(tmp_path / "run"))
    done = subprocess.run([sys.executable, str(SCRIPT), *words], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    # ENv2, Table 6: four stages.
    assert done.stderr.startswith("error: --epochs must be at least 4, one for each stage, got 2: ")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())

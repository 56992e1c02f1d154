"""What executing takes, in words without Ray: resources settled, imports that stay light, the account of time."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from search_spaces.common.settings import setting
from studies.machine import available_cores
from studies.workers.config import WorkersConfig
from studies.workers.protocol import Usage
from studies.workers.resources import Resources, describe_workers, settle


@pytest.mark.parametrize(
    ("workers", "cores", "gpus", "expected"),
    [
        (WorkersConfig(), 2, 0, Resources(2, 1, 0)),
        (WorkersConfig(cpus_per_trial=2), 7, 0, Resources(3, 2, 0)),
        (WorkersConfig(number=1), 8, 0, Resources(1, 1, 0)),
        (WorkersConfig(number=2), 16, 4, Resources(2, 1, 1)),  # a GPU each
        (WorkersConfig(cpus_per_trial=4), 16, 1, Resources(4, 4, 0.25)),  # four share one
        (WorkersConfig(cpus_per_trial=4), 16, 2, Resources(4, 4, 0.5)),
        (WorkersConfig(number=3), 16, 2, Resources(3, 1, 0.5)),  # a third of two would cross from one to the next
        (WorkersConfig(gpus_per_trial=0), 4, 2, Resources(4, 1, 0)),
        (WorkersConfig(gpus_per_trial=0.4), 16, 2, Resources(4, 1, 0.4)),  # 2 on each
        (WorkersConfig(gpus_per_trial=2), 16, 5, Resources(2, 1, 2)),
        (WorkersConfig(gpus_per_trial=0.1), 4, 1, Resources(4, 1, 0.1)),
        (WorkersConfig(number=0), 16, 0, Resources(1, 1, 0, in_process=True)),
        (WorkersConfig(number=0, cpus_per_trial=4), 16, 2, Resources(1, 4, 1, in_process=True)),
    ],
)
def test_workers_are_settled(workers: WorkersConfig, cores: int, gpus: float, expected: Resources) -> None:
    assert settle(workers, cores, gpus) == expected


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gpus_per_trial": 1}, "--gpus-per-trial 1"),
        ({"gpus_per_trial": 0.5}, r"--gpus-per-trial 0\.5"),
        ({"cpus_per_trial": 3}, "--cpus-per-trial 3"),
        ({"number": 3}, "--workers 2"),
        ({"number": -1}, "--workers"),
        ({"number": 0, "ray_address": "auto"}, "--ray-address auto"),
        ({"cpus_per_trial": 0}, "--cpus-per-trial"),
        ({"gpus_per_trial": 1.5}, "--gpus-per-trial"),
        ({"gpus_per_trial": -1}, "--gpus-per-trial"),
        ({"retries": -1}, "--retries"),
        ({"ray_address": "ray://head:10001"}, "--ray-address ray://head:10001"),
    ],
)
def test_asking_for_what_there_is_not(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        settle(WorkersConfig(**fields), 2, 0)
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class Named(WorkersConfig):
    """Workers of a command with a flag of its own."""

    cpus_per_trial: int = setting(1, flag="cpus-per-worker")


@pytest.mark.parametrize(("cpus", "workers"), [(0, 1), (3, 1), (2, 2)])
def test_errors_name_the_commands_own_flag(cpus: int, workers: int) -> None:
    with pytest.raises(ValueError, match=f"--cpus-per-worker.* {cpus}") as caught:
        settle(Named(workers, cpus_per_trial=cpus), 2, 0)
    assert "--cpus-per-trial" not in str(caught.value)


def test_workers_are_described() -> None:
    assert Resources(3, 1, 0).describe() == describe_workers(WorkersConfig(), 3) == "3 at a time"
    here = describe_workers(WorkersConfig(number=0), 1)
    assert Resources(1, 1, 0, in_process=True).describe() == here == "one at a time, in this process"
    assert describe_workers(WorkersConfig(ray_address="auto"), None) == ""


def test_too_many_workers_for_the_gpus() -> None:
    with pytest.raises(ValueError, match="--workers 2"):
        settle(WorkersConfig(number=3, gpus_per_trial=1), 16, 2)


def test_cores_are_those_this_process_may_use() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    "module", ["studies.workers.resources", "studies.outcome", "studies.runs.folder", "studies.workers.tune_adapter"]
)
def test_the_command_line_needs_no_heavy_import(module: str) -> None:
    code = (
        f"import sys, {module}; print([m for m in ('ray', 'torch', 'optuna', 'pandas', 'scipy') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_the_ledger_knows_no_ray_and_the_workers_no_optuna() -> None:
    root = Path(__file__).resolve().parents[3]
    for module, other in (
        ("studies.workers.queue", "ray"),
        ("studies.ledger.frame", "ray"),
        ("studies.workers.ray_tune", "optuna"),
    ):
        code = f"import sys, {module}; print('{other}' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
        assert done.stdout.strip() == "False", (module, other)


def test_trials_in_this_process_import_no_ray(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    search = f"from tests.studies.workers.small_search import search; search({str(tmp_path / 'ledger.db')!r}, 2)"
    code = f"import sys; {search}; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_the_account_by_hand() -> None:
    # Two workers for ten seconds are twenty worker-seconds; eighteen were spent training eight trials.
    usage = Usage(workers=2, jobs=8, startup=5.0, wall=10.0, busy=18.0)
    assert usage.utilisation == 0.9
    assert usage.overhead == 0.25

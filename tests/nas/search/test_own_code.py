"""A search of a user's own package: killed, resumed, on a cluster, reported; and every mistake in one line."""

from __future__ import annotations

import csv
import importlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from nas.benchmark import __main__ as benchmark
from nas.proxy import __main__ as proxy
from nas.search import __main__ as search
from reports import build
from scaling.curves import __main__ as curves
from scaling.grid import __main__ as grid
from search_spaces.common import cli
from studies.outcome import Outcome
from studies.train import __main__ as train
from studies.trainer.registry import get_recipe
from studies.workers.training_job import Training, evaluate
from studies.workers.worker import JobRun
from tests.own_code import write_modules
from tests.studies.trainings import TINY
from tests.studies.workers.test_joined_ray import head_node

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 240
TRIALS = 8
SETTINGS = (
    "--space own_things.space:make --dataset own_things.images:load --recipe own_things.recipe:mine "
    "--sampler own_things.sampler:Mine --objective own_things.objective:small --target-flops 150K --cost-band 0.5 1.5 "
    "--resolution 12 --proxy.width 0.5 --proxy.resolution 8 --proxy.images 128 --proxy.epochs 1 --finalists 1 "
    "--finalist.seeds 1 --finalist.epochs 1 --controls none --random-controls 0 "
    f"--trials {TRIALS} --workers 2 --gpus-per-trial 0"
).split()

TRAINING = (
    "--dataset own_driver_only:load --data-root . --arch tiny.json --cpus-per-worker 1 --device cpu --images 64 "
    "--epochs 1 --run y"
)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "RAY_AUTH_MODE": "disabled"}


def started(module: str, words: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment(), stdout=pipe, stderr=pipe, text=True)


def done(module: str, words: Sequence[str], folder: Path) -> tuple[int, str, str]:
    """A command run to its end in a folder: exit code, output, errors."""
    with started(module, words, folder) as process:
        try:
            output, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    return process.returncode, output, errors


def finished_trials(run: Path) -> int:
    try:
        with sqlite3.connect(f"file:{run / 'ledger.db'}?mode=ro", uri=True, timeout=30) as ledger:
            return int(ledger.execute("SELECT COUNT(*) FROM trials WHERE state = 'COMPLETE'").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def trials(run: Path) -> list[dict[str, str]]:
    with (run / "trials.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["outcome"] != "interrupted"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a user's package own_things, from which the first commands start."""
    folder = tmp_path_factory.mktemp("home")
    write_modules(folder, "own_things.")
    return folder


@pytest.fixture(scope="module")
def run(home: Path) -> Path:
    """A search on two Ray workers that was killed and then ran to its end."""
    folder, words = home / "runs" / "x", [*SETTINGS, "--run", "runs/x"]
    with started("nas.search", words, home) as killed:
        deadline = time.monotonic() + PATIENCE
        while not finished_trials(folder):
            assert killed.poll() is None, killed.communicate()
            assert time.monotonic() < deadline, "the search makes no progress"
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    assert 0 < finished_trials(folder) < TRIALS
    code, _, errors = done("nas.search", words, home)
    assert code == 0, errors
    return folder


@pytest.mark.slow
def test_a_killed_search_of_own_code_resumes_and_names_it(run: Path) -> None:
    rows = trials(run)
    assert [row["outcome"] for row in rows] == ["complete"] * TRIALS
    assert len({row["key"] for row in rows}) == TRIALS
    assert {row["proposed_by"] for row in rows} == {"uniform", "own_things.sampler:Mine"}
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["workers"]["code"] == [str(run.parents[1])]
    named = {config["data"]["dataset"], config["objective"]["name"]}
    assert named | {config[name] for name in ("space", "recipe", "sampler")} <= set(SETTINGS)
    for row in rows:
        assert float(row["value"]) == pytest.approx(float(row["accuracy"]) - 0.01 * float(row["params"]) / 1e6)
    manifest = json.loads((run / "manifest.json").read_text())
    assert [session["status"] for session in manifest["sessions"]] == ["killed", "finished"]
    assert set(manifest["code"]) == {"own_things"}


@pytest.mark.slow
def test_it_goes_on_from_another_folder_on_a_cluster_that_has_not_the_code(run: Path, tmp_path: Path) -> None:
    """First more trials of the search (Ray Tune), then a training whose data only the driver can read (Ray Train)."""
    node, elsewhere = tmp_path / "node", tmp_path / "elsewhere"
    node.mkdir()
    elsewhere.mkdir()
    (elsewhere / "own_driver_only.py").write_text(
        "import os\n"
        "from own_things.images import load as read\n"
        "def load(root):\n"
        "    (root / 'driver').exists() or (root / 'driver').write_text(str(os.getpid()))\n"
        "    if (root / 'driver').read_text() != str(os.getpid()): raise OSError('no such disk')\n"
        "    return read(root)\n"
    )
    TINY.replace(classes=2).save(elsewhere / "tiny.json")
    with head_node(node, environment()) as address:
        joined = ["--ray-address", address, "--workers", "1"]
        words = ["--config", str(run / "config.yaml"), "--run", str(run), "--trials", str(TRIALS + 1), *joined]
        code, _, errors = done("nas.search", words, elsewhere)
        assert code == 0, errors
        words = [*TRAINING.split(), "--code", str(run.parents[1]), *joined]
        failed, _, reason = done("studies.train", words, elsewhere)
    assert [row["outcome"] for row in trials(run)] == ["complete"] * (TRIALS + 1)
    assert failed == 2, reason
    (line,) = reason.splitlines()
    assert "own_driver_only:load" in line
    assert "no such disk" in line


@pytest.mark.slow
def test_a_report_needs_no_own_code(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ImportError):
        importlib.import_module("own_things")
    assert cli.run(build.main, [str(run), "--out", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert "own_things.sampler:Mine" in page
    assert "could not be made" not in page


@pytest.mark.slow
def test_a_run_of_other_code_is_refused_and_a_new_one_begins(run: Path, home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    with (tmp_path / "home" / "own_things" / "recipe.py").open("a") as file:
        file.write("mine = mine.replace(lr=0.01)\n")
    words = [*SETTINGS, "--run", str(run), "--trials", str(TRIALS + 2)]
    before = (run / "manifest.json").read_text()
    code, _, errors = done("nas.search", words, tmp_path / "home")
    assert code == 2
    (line,) = errors.splitlines()
    assert "own_things" in line
    assert "--new" in line
    assert (run / "manifest.json").read_text() == before


Main = Callable[[Sequence[str]], int]
MISTAKES: dict[str, tuple[Main, str]] = {
    "search, no module": (search.main, "--dataset not_there:load"),
    "search, no such name": (search.main, "--recipe outside_recipe:mime"),
    "search, no sampler": (search.main, "--sampler outside_images:load"),
    "search, no objective": (search.main, "--objective outside_mistakes:NUMBER"),
    "search, no metric": (search.main, "--target outside_mistakes:NUMBER=3"),
    "search, no space": (search.main, "--space outside_mistakes:NUMBER"),
    "search, fewer trials than its start-up": (search.main, "--sampler outside_sampler:Mine --trials 5"),
    "search, no data set": (search.main, "--dataset outside_mistakes:fails"),
    "proxy, no score": (proxy.main, "--zero-cost outside_recipe:mine"),
    "proxy, misspelt": (proxy.main, "--zero-cost grad_nrm"),
    "proxy, twice": (proxy.main, "--zero-cost grad_norm grad_norm"),
    "train, no data set": (train.main, "--dataset outside_mistakes:nothing"),
    "train, no recipe": (train.main, "--recipe outside_images:load"),
    "grid, no recipe": (grid.main, "--recipe outside_mistakes:NUMBER"),
    "curves, no data set": (curves.main, "--dataset outside_mistakes:NUMBER"),
    "curves, no folder": (curves.main, "--code not/there"),
    "benchmark, no sampler": (benchmark.main, "--table csv:x.csv --samplers random outside_images:load"),
}


@pytest.mark.parametrize(("main", "flags"), MISTAKES.values(), ids=[name.replace(" ", "-") for name in MISTAKES])
def test_a_mistake_ends_in_one_line_and_writes_nothing(
    main: Main, flags: str, outside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (outside / "outside_mistakes.py").write_text(
        "NUMBER = 3\ndef fails(root): raise OSError('no disk\\nat all')\ndef nothing(root): pass\n"
    )
    words = flags.split()
    assert cli.run(main, [*words, "--run", str(tmp_path / "run")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words[-1] in line or words[1] in line
    assert list(tmp_path.iterdir()) == []


def test_code_that_only_a_worker_lacks_is_the_trials_reason() -> None:
    training = Training("only_on_the_driver:load", get_recipe("quick"))
    job = {**training.payload(), "arch": TINY.to_json(), "seed": 0, "id": 0}
    rung, ending = JobRun(evaluate, job).advance()
    assert rung is None
    assert ending is not None
    assert ending.outcome is Outcome.ERROR
    assert "only_on_the_driver" in ending.reason

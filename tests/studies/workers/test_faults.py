"""Real kills and real signals, at random moments, on a search whose trials only sleep."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
from optuna.trial import TrialState

from studies.ledger.ledger import Ledger
from studies.ledger.trial import Record
from studies.outcome import Outcome
from tests.studies.workers.small_search import search

SCRIPT = Path(__file__).with_name("small_search.py")


def start(db: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(db), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert err == ""
    return out


def records(db: Path) -> list[Record]:
    with Ledger.open(f"sqlite:///{db}", "search", {}, read_only=True) as ledger:
        return ledger.records()


def log(db: Path) -> list[dict[str, Any]]:
    path = Path(f"{db}.log")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def check_whole(db: Path, trials: int) -> None:
    """The total is reached, nothing is left under way, nothing finished ran twice, each interrupted one ran again."""
    all_records = records(db)
    final = [record for record in all_records if record.is_final]
    assert len(final) == trials
    assert sorted(record.proposal_index for record in final) == list(range(trials))
    assert not [r for r in all_records if r.state in (TrialState.RUNNING, TrialState.WAITING)]
    lost = {record.number for record in all_records if record.outcome is Outcome.INTERRUPTED}
    assert lost == {record.retry_of for record in all_records if record.retry_of is not None}
    seeds = {record.number: (record.seed, record.choice) for record in all_records}
    assert all(seeds[r.number] == seeds[r.retry_of] for r in all_records if r.retry_of is not None)
    begun = Counter(line["id"] for line in log(db) if line["event"] == "begin")
    assert all(count == 1 for count in begun.values())
    assert {record.number for record in final} <= set(begun)


def ray_processes(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The Ray processes of a driver that matter: Ray's agents take a minute to notice that the others are gone."""
    return [child for child in psutil.Process(process.pid).children(recursive=True) if "Agent" not in child.name()]


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_driver_killed_again_and_again(tmp_path: Path) -> None:
    """Four kills at random moments, one process; every finished trial stays as it is."""
    db = tmp_path / "ledger.db"
    dice = random.Random(0)
    seen: dict[int, Record] = {}
    for _ in range(4):
        process = start(db, "--trials", "20")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = {record.number: record for record in records(db)}
        assert all(now[number] == record for number, record in seen.items() if record.outcome is not None)
        seen = now
    search(db, 20)
    assert all(records(db)[number] == record for number, record in seen.items() if record.outcome is not None)
    check_whole(db, 20)


def test_killed_or_not_the_same_candidates(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed.db", tmp_path / "whole.db"
    process = start(killed, "--trials", "6")
    wait_for(lambda: len(log(killed)) >= 5)
    process.kill()
    process.wait()
    for db in (killed, whole):
        search(db, 6)

    def by_draw(db: Path) -> list[tuple[Any, ...]]:
        return sorted((r.proposal_index, r.seed, r.key, r.values) for r in records(db) if r.is_final)

    assert by_draw(killed) == by_draw(whole)


def test_two_drivers_share_a_study(tmp_path: Path) -> None:
    """Both at once, one of them killed: the other takes over its trial; no trial is run by both."""
    db = tmp_path / "ledger.db"
    first, second = start(db, "--trials", "24"), start(db, "--trials", "24")  # both at once, nothing there yet
    wait_for(lambda: log(db) and len({r.owner["id"] for r in records(db) if r.is_final}) == 2)
    second.kill()
    second.wait()
    finish(first)
    final = [record for record in records(db) if record.is_final]
    assert len(final) == 24
    begun = Counter(line["id"] for line in log(db) if line["event"] == "begin")
    assert max(begun.values()) == 1
    assert not [r for r in records(db) if r.state in (TrialState.RUNNING, TrialState.WAITING)]


def test_an_interrupt_in_this_process(tmp_path: Path) -> None:
    db = tmp_path / "ledger.db"
    process = start(db, "--trials", "8", "--sleep", "0.2")
    wait_for(lambda: len(log(db)) >= 3)
    process.send_signal(signal.SIGINT)
    finish(process, 130)
    waiting = [record for record in records(db) if record.state == TrialState.WAITING]
    assert len(waiting) == 1
    search(db, 8)
    check_whole(db, 8)


@pytest.mark.slow
def test_faulty_trials_on_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One Ray session, every kind of fault: each is recorded under its name and the search continues."""
    db = tmp_path / "ledger.db"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    process = start(db, "--workers", "2", "--trials", "14", "--faults")
    out = finish(process)
    assert out.splitlines()[0] == "ready"
    assert len(out.splitlines()) == 2, "Ray must print nothing"
    found = {record.proposal_index: record for record in records(db)}
    assert len(records(db)) == 14
    expected = {
        1: (Outcome.ERROR, "TypeError: a bug in (small_search.py:"),
        2: (Outcome.NAN, "accuracy is nan at step 2"),
        3: (Outcome.OUT_OF_MEMORY, "MemoryError (small_search.py:"),
        4: (Outcome.COMPLETE, ""),
        5: (Outcome.ERROR, "its worker failed 2 times: The actor died unexpectedly"),
        6: (Outcome.INFEASIBLE, "InfeasibleError: the last feature map is empty"),
        7: (Outcome.OUT_OF_MEMORY, "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"),
    }
    for draw, (outcome, reason) in expected.items():
        assert found[draw].outcome is outcome
        assert found[draw].reason.startswith(reason)
    healthy = [record for draw, record in found.items() if draw not in expected]
    assert {record.outcome for record in healthy} == {Outcome.COMPLETE}
    # One thread each, and without a GPU of its own no trial sees those that are there.
    seen = [rung["environment"] for record in healthy for rung in record.rungs]
    assert all(each == {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""} for each in seen)
    starts = Counter(line["draw"] for line in log(db) if line["event"] == "begin")
    assert (starts[4], starts[5], starts[1]) == (2, 2, 1)
    # Only deaths cost a process: everything else leaves the worker alive for the next trial.
    assert len({record.worker for record in found.values() if record.worker}) <= 2 + 3


@pytest.mark.slow
def test_drivers_of_ray_stopped_in_the_middle(tmp_path: Path) -> None:
    """The first driver is killed, the second gets Ctrl-C, the third ends: as if nothing had happened."""
    db = tmp_path / "ledger.db"
    before: list[Record] = []
    for fault, ended in ((signal.SIGKILL, 3), (signal.SIGINT, 7)):
        process = start(db, "--workers", "2", "--trials", "12", "--sleep", "0.15")
        wait_for(lambda ended=ended: sum(line["event"] == "end" for line in log(db)) >= ended)
        time.sleep(random.Random(int(fault)).uniform(0, 0.4))
        helpers = ray_processes(process)
        assert len(helpers) >= 4, "gcs_server, raylet and two workers at least"
        process.send_signal(fault)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (130 if fault == signal.SIGINT else -signal.SIGKILL, "")
        wait_for(lambda helpers=helpers: not any(map(is_alive, helpers)), 30)
        now = records(db)
        assert [now[record.number] for record in before] == before
        before = [record for record in now if record.is_final]
        under_way = {record.state for record in now if record.outcome is None}
        assert under_way == {TrialState.RUNNING if fault == signal.SIGKILL else TrialState.WAITING}
    search(db, 12)
    check_whole(db, 12)
    assert [records(db)[record.number] for record in before] == before

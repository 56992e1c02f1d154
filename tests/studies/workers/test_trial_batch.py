"""A phase: what is missing is trained, shown and written; what is there is neither trained nor counted twice."""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal
from studies.outcome import Outcome, Rung
from studies.trainer.registry import get_recipe
from studies.workers.local import execute_here
from studies.workers.protocol import Job, Usage
from studies.workers.queue import Fixed
from studies.workers.resources import Execution
from studies.workers.training_job import Training
from studies.workers.trial_batch import TrialBatch, run_trials

ACCURACY = {"a": 0.5, "b": 0.7, "c": 0.6, "broken": float("nan")}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that are trained, in this process; each leaves a checkpoint, as a real training does."""
    seen: list[str] = []

    def evaluate(job: Job) -> Iterator[Rung]:
        seen.append(job["notes"]["name"])
        training = Training.from_job(job)
        checkpoint = training.checkpoint(f"key-{seen[-1]}", job["seed"])
        assert checkpoint is not None
        checkpoint.write_text("state")
        yield {"step": 1, "accuracy": ACCURACY[seen[-1]], "loss": 1.0, "images": 64}

    def execute(source: Any, evaluate: Any, *, execution: Execution) -> Usage:
        return execute_here(source, evaluate)

    monkeypatch.setattr("studies.workers.trial_batch.evaluate", evaluate)
    monkeypatch.setattr("studies.workers.trial_batch.execute", execute)
    return seen


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(None, "grid", {}) as opened:
        yield opened


def proposal(name: str) -> Proposal:
    return Proposal({}, f"key-{name}", "{}", 1, 1, 1, phase="grid", seed=0, proposed_by=name, notes={"name": name})


def phase(folder: Path, *names: str) -> TrialBatch:
    proposals = [proposal(name) for name in names]
    wanted = {one.identity for one in proposals}
    return TrialBatch(
        title="grid",
        total=len(names),
        plan=Fixed(proposals),
        training=Training("fashion-mnist-mini", get_recipe("quick"), folder=str(folder)),
        score=lambda record, rung: rung["accuracy"],
        praise=lambda record, accuracy: (accuracy, f"best {record.proposed_by}"),
        table=folder / "trials.csv",
        counts=lambda record: record.identity in wanted,
    )


def events(folder: Path) -> dict[str, dict[int, float]]:
    """{scalar: {step: value}} of a folder of TensorBoard's event files: records of length, check, content, check."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, dict[int, float]] = {}
    for file in folder.iterdir():
        content, place = file.read_bytes(), 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            event = Event.FromString(content[place + 12 : place + 12 + length])
            place += length + 16
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def printed(ledger: Ledger, folder: Path, *names: str) -> list[str]:
    output = io.StringIO()
    run_trials(phase(folder, *names), ledger, Execution(), Console(file=output, width=200))
    return output.getvalue().splitlines()


def test_all_that_is_wanted_is_trained_once_and_written(ledger: Ledger, trained: list[str], tmp_path: Path) -> None:
    records = run_trials(phase(tmp_path, "a", "b", "broken"), ledger, Execution(), Console(quiet=True))
    assert trained == ["a", "b", "broken"]
    assert [record.outcome for record in records] == [Outcome.COMPLETE, Outcome.COMPLETE, Outcome.NAN]
    with (tmp_path / "trials.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [(row["proposed_by"], row["outcome"]) for row in table] == [
        ("a", "complete"),
        ("b", "complete"),
        ("broken", "nan"),
    ]
    assert not list(tmp_path.glob("*.ckpt"))


def test_tensorboard_gets_what_each_rung_gave(ledger: Ledger, trained: list[str], tmp_path: Path) -> None:
    on = Execution(tensorboard=True)
    records = run_trials(phase(tmp_path, "a", "broken"), ledger, on, Console(quiet=True))
    logged = {folder.name: events(folder) for folder in (tmp_path / "tensorboard" / "grid").iterdir()}
    assert {record.number for record in records if record.rungs} == {int(name[:5]) for name in logged}
    for record in records:
        if record.rungs:
            found = logged[f"{record.number:05d}-{record.key}-seed{record.seed}"]
            assert found["accuracy"] == pytest.approx({rung["step"]: rung["accuracy"] for rung in record.rungs})


def test_without_being_asked_nothing_is_logged(ledger: Ledger, trained: list[str], tmp_path: Path) -> None:
    run_trials(phase(tmp_path, "a"), ledger, Execution(), Console(quiet=True))
    assert not (tmp_path / "tensorboard").exists()


def test_what_is_there_is_not_trained_again(ledger: Ledger, trained: list[str], tmp_path: Path) -> None:
    printed(ledger, tmp_path, "a", "b")
    lines = printed(ledger, tmp_path, "a", "b", "c")
    assert trained == ["a", "b", "c"]
    assert lines[0] == "grid: 2 of 3 trials done"
    assert lines[-1].startswith("grid: 3/3 trials | best b | ")
    assert printed(ledger, tmp_path, "a", "b", "c")[0] == "grid: 3 of 3 trials done"
    assert len(trained) == 3


def test_trials_that_are_not_wanted_are_not_counted(ledger: Ledger, trained: list[str], tmp_path: Path) -> None:
    printed(ledger, tmp_path, "a", "b")
    assert printed(ledger, tmp_path, "c", "b")[0] == "grid: 1 of 2 trials done"


def test_the_best_so_far_is_named_and_a_broken_training_never_is(
    ledger: Ledger, trained: list[str], tmp_path: Path
) -> None:
    assert " | 1 nan | best c | " in printed(ledger, tmp_path, "a", "broken", "c")[-1]


def test_checkpoints_of_workers_that_outlived_their_driver_are_removed(
    ledger: Ledger, trained: list[str], tmp_path: Path
) -> None:
    printed(ledger, tmp_path, "a")
    left = tmp_path / "key-a-seed0.ckpt"
    left.write_text("late")
    other = tmp_path / "key-z-seed0.ckpt"
    other.write_text("of a training that is not over")
    printed(ledger, tmp_path, "a")
    assert not left.exists()
    assert other.exists()

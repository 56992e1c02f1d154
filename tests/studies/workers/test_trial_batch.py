"""A batch: what is missing is trained, shown and written; what is there is neither trained nor counted twice."""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal, Record
from studies.outcome import Outcome, Rung
from studies.trainer.registry import get_recipe
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Job
from studies.workers.queue import Fixed
from studies.workers.training_job import Training
from studies.workers.trial_batch import TrialBatch, run_trials

ACCURACY = {"a": 0.5, "b": 0.7, "c": 0.6, "broken": float("nan")}


def proposal(name: str) -> Proposal:
    return Proposal({}, f"key-{name}", "{}", {"macs": 1}, phase="grid", seed=0, proposed_by=name, notes={"name": name})


@dataclass(frozen=True)
class Batch:
    """A batch in this process; `trained` has the networks that were trained, each of which leaves a checkpoint."""

    folder: Path
    ledger: Ledger
    trained: list[str] = field(default_factory=list)

    def run(self, *names: str, tensorboard: bool = False) -> tuple[list[Record], list[str]]:
        """The ledger's trials and the lines that were printed."""
        proposals, output = [proposal(name) for name in names], io.StringIO()
        wanted = {one.identity for one in proposals}
        batch = TrialBatch(
            title="grid",
            total=len(names),
            plan=Fixed(proposals),
            training=Training("fashion-mnist-mini", get_recipe("quick"), folder=str(self.folder)),
            score=lambda record, rung: rung["accuracy"],
            describe_best=lambda record, accuracy: (accuracy, f"best {record.proposed_by}"),
            table=self.folder / "trials.csv",
            counts=lambda record: record.identity in wanted,
            work=self.work,
        )
        workers = WorkerPool(WorkersConfig(number=0, tensorboard=tensorboard))
        records = run_trials(batch, self.ledger, workers, Console(file=output, width=200))
        return records, output.getvalue().splitlines()

    def work(self, job: Job) -> Iterator[Rung]:
        name = job["notes"]["name"]
        self.trained.append(name)
        checkpoint = Training.from_job(job).checkpoint(f"key-{name}", job["seed"])
        assert checkpoint is not None
        checkpoint.write_text("state")
        yield {"step": 1, "accuracy": ACCURACY[name], "loss": 1.0, "images": 64}


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[Batch]:
    with Ledger.open(None, "grid", {}) as ledger:
        yield Batch(tmp_path, ledger)


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


def test_all_that_is_wanted_is_trained_once_and_written(batch: Batch) -> None:
    records, _ = batch.run("a", "b", "broken")
    assert batch.trained == ["a", "b", "broken"]
    assert [record.outcome for record in records] == [Outcome.COMPLETE, Outcome.COMPLETE, Outcome.NAN]
    with (batch.folder / "trials.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [(row["proposed_by"], row["outcome"]) for row in table] == [
        ("a", "complete"),
        ("b", "complete"),
        ("broken", "nan"),
    ]
    assert not list(batch.folder.glob("*.ckpt"))


def test_tensorboard_gets_what_each_rung_gave(batch: Batch) -> None:
    records, _ = batch.run("a", "broken", tensorboard=True)
    logged = {folder.name: events(folder) for folder in (batch.folder / "tensorboard" / "grid").iterdir()}
    assert {record.number for record in records if record.rungs} == {int(name[:5]) for name in logged}
    for record in records:
        if record.rungs:
            found = logged[f"{record.number:05d}-{record.key}-seed{record.seed}"]
            assert found["accuracy"] == pytest.approx({rung["step"]: rung["accuracy"] for rung in record.rungs})


def test_by_default_nothing_is_logged(batch: Batch) -> None:
    batch.run("a")
    assert not (batch.folder / "tensorboard").exists()


def test_what_is_there_is_not_trained_again(batch: Batch) -> None:
    batch.run("a", "b")
    _, lines = batch.run("a", "b", "c")
    assert batch.trained == ["a", "b", "c"]
    assert lines[0] == "grid: 2 of 3 trials done, one at a time, in this process"
    assert lines[-1].startswith("grid: 3/3 trials | best b | ")
    assert batch.run("a", "b", "c")[1][0].startswith("grid: 3 of 3 trials done")
    assert len(batch.trained) == 3


def test_trials_that_are_not_wanted_are_not_counted(batch: Batch) -> None:
    batch.run("a", "b")
    assert batch.run("c", "b")[1][0].startswith("grid: 1 of 2 trials done")


def test_the_best_so_far_is_named_and_a_broken_training_never_is(batch: Batch) -> None:
    assert " | 1 nan | best c | " in batch.run("a", "broken", "c")[1][-1]


def test_checkpoints_of_workers_that_outlived_their_driver_are_removed(batch: Batch) -> None:
    batch.run("a")
    left = batch.folder / "key-a-seed0.ckpt"
    left.write_text("late")
    other = batch.folder / "key-z-seed0.ckpt"
    other.write_text("of a training that is not over")
    batch.run("a")
    assert not left.exists()
    assert other.exists()

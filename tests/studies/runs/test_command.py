"""Commands with a run folder: the files, status and report that they leave, however the work ends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console

from studies.data.config import DataConfig
from studies.data.dataset import Dataset
from studies.runs.command import REPORT, Work, finished_report, run_command
from studies.runs.folder import RunFolder, Status, read_manifest


@dataclass(frozen=True)
class Config:
    """What every command's configuration has."""

    run: str
    data: DataConfig = field(default_factory=DataConfig)
    seed: int = 3
    new: bool = False


SETTINGS = {"phi": 1.0, "seeds": 3}


def done(work: Work, folder: Path, *, new: bool = False, validation: int = 0) -> None:
    run_command(work, Config(str(folder), new=new), SETTINGS, "scaling.x", resumable={"seeds"}, validation=validation)


def report(run: RunFolder, console: Console, data: Dataset) -> str:
    console.print("at work")
    return "the report"


def interrupted(run: RunFolder, console: Console, data: Dataset) -> NoReturn:
    raise KeyboardInterrupt


def test_the_report_is_written_and_printed_after_what_the_work_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done(report, tmp_path / "x", validation=200)
    first, *others = capsys.readouterr().out.splitlines()
    assert {"9,800", "200"} <= set(first.split())
    assert others == ["at work", "", "the report"]
    assert (tmp_path / "x" / REPORT).read_text() == "the report\n"
    manifest = read_manifest(tmp_path / "x")
    assert (manifest["status"], manifest["seed"]) == (Status.FINISHED, 3)
    assert finished_report(tmp_path / "x", SETTINGS, resumable=(), extendable=()) is not None


def test_the_work_may_leave_something_to_do(tmp_path: Path) -> None:
    def work(run: RunFolder, console: Console, data: Dataset) -> str:
        run.status = Status.INTERRUPTED
        return "so far"

    done(work, tmp_path / "x")
    assert (tmp_path / "x" / REPORT).read_text() == "so far\n"
    assert read_manifest(tmp_path / "x")["status"] == Status.INTERRUPTED


@pytest.mark.parametrize("new", [False, True])
def test_an_interrupt_says_how_to_resume(new: bool, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match="resume") as caught:
        done(interrupted, tmp_path / "x", new=new)
    assert ("without --new" in str(caught.value)) == new
    assert read_manifest(tmp_path / "x")["status"] == Status.INTERRUPTED
    assert not (tmp_path / "x" / REPORT).exists()


def test_a_failure_leaves_no_report_and_can_be_resumed(tmp_path: Path) -> None:
    def work(run: RunFolder, console: Console, data: Dataset) -> NoReturn:
        raise ValueError("the loss is not finite")

    with pytest.raises(ValueError, match="^the loss is not finite$"):
        done(work, tmp_path / "x")
    assert read_manifest(tmp_path / "x")["status"] == Status.FAILED
    assert not (tmp_path / "x" / REPORT).exists()
    done(report, tmp_path / "x")
    sessions = json.loads((tmp_path / "x" / "manifest.json").read_text())["sessions"]
    assert [session["status"] for session in sessions] == [Status.FAILED, Status.FINISHED]


def test_mistakes_are_found_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no-such-images"):
        run_command(
            report, Config(str(tmp_path / "x"), data=DataConfig("no-such-images")), SETTINGS, "scaling.x", resumable=()
        )
    assert not (tmp_path / "x").exists()
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "ledger.db").write_bytes(b"no database, but long enough to be taken for one by its size")
    with pytest.raises(ValueError, match="ledger"):
        done(report, tmp_path / "y")
    assert [path.name for path in (tmp_path / "y").iterdir()] == ["ledger.db"]

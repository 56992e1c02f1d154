"""Commands that are run again: which runs are finished, and their reports."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from studies.runs.command import REPORT, check_ledger, finished_report, open_run
from studies.runs.folder import CONFIG, Status, read_manifest

SETTINGS = {"phi": 1.0, "seeds": 3, "workers": None}
RESUMABLE, EXTENDABLE = {"workers", "seeds"}, {"seeds"}


def old_run(folder: Path, status: Status = Status.FINISHED, settings: dict[str, Any] = SETTINGS) -> Path:
    with open_run(folder, settings, "scaling.x", seed=0, new=False, resumable=RESUMABLE) as run:
        run.write(REPORT, "the report\n")
        run.status = status
    return folder


def report(folder: Path, **changes: Any) -> str | None:
    return finished_report(folder, SETTINGS | changes, resumable=RESUMABLE, extendable=EXTENDABLE)


def test_a_finished_run_with_these_or_larger_settings_is_shown(tmp_path: Path) -> None:
    run = old_run(tmp_path / "x")
    for changes in ({}, {"seeds": 2}, {"workers": 7}):
        first, _, last = (report(run, **changes) or "").splitlines()
        assert first == "the report"
        assert "--new" in last


@pytest.mark.parametrize("changes", [{"seeds": 4}, {"phi": 2.0}, {"other": 1}])
def test_a_run_with_smaller_or_other_settings_is_not_finished(changes: dict[str, Any], tmp_path: Path) -> None:
    assert report(old_run(tmp_path / "x"), **changes) is None


@pytest.mark.parametrize("status", [Status.INTERRUPTED, Status.FAILED, Status.RUNNING])
def test_a_run_with_another_status_is_not_finished(status: Status, tmp_path: Path) -> None:
    assert report(old_run(tmp_path / "x", status)) is None


def test_a_folder_without_a_run_is_not_finished(tmp_path: Path) -> None:
    assert report(tmp_path / "nowhere") is None
    (tmp_path / REPORT).write_text("somebody's own result\n")
    assert report(tmp_path) is None


def test_another_commands_run_is_not_finished(tmp_path: Path) -> None:
    assert report(old_run(tmp_path / "x", settings={"trials": 3})) is None


def test_a_damaged_configuration_is_one_line(tmp_path: Path) -> None:
    run = old_run(tmp_path / "x")
    (run / CONFIG).write_text("a: [1,\n")
    with pytest.raises(ValueError, match="config.yaml.*--new") as caught:
        report(run)
    assert "\n" not in str(caught.value)
    (run / CONFIG).unlink()
    assert report(run) is None


def test_new_keeps_the_old_run_under_another_name(tmp_path: Path) -> None:
    old_run(tmp_path / "x")
    with open_run(tmp_path / "x", SETTINGS, "scaling.x", seed=0, new=True, resumable=RESUMABLE) as run:
        assert not run.path(REPORT).exists()
    (moved,) = [path for path in tmp_path.iterdir() if path.name != "x"]
    assert (moved / REPORT).read_text() == "the report\n"


def test_the_command_is_recorded_without_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--storage", "postgresql://me:secret@host/db", "--phi", "1"])
    (session,) = read_manifest(old_run(tmp_path / "x"))["sessions"]
    assert shlex.split(session["command"])[1:] == [
        "-m", "scaling.x", "--storage", "postgresql://me:***@host/db", "--phi", "1"
    ]  # fmt: skip


def test_a_file_that_is_no_ledger_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    check_ledger(tmp_path / "nowhere", new=False)
    (tmp_path / "ledger.db").write_bytes(b"no database, but long enough to be taken for one by its size")
    with pytest.raises(ValueError, match="ledger"):
        check_ledger(tmp_path, new=False)
    check_ledger(tmp_path, new=True)

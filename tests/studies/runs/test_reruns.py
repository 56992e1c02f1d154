"""Commands that are given again: what a finished run says, and which run is none of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from studies.runs.command import REPORT, check_ledger, finished_report, open_run
from studies.runs.folder import CONFIG, Status

SETTINGS = {"phi": 1.0, "seeds": 3, "workers": None}
FREE, SIZE = {"workers", "seeds"}, {"seeds"}


def old_run(folder: Path, status: Status = Status.FINISHED, settings: dict[str, Any] = SETTINGS) -> Path:
    with open_run(folder, settings, "scaling.x", seed=0, new=False, resumable=FREE) as run:
        run.write(REPORT, "the report\n")
        run.status = status
    return folder


def said(folder: Path, **changes: Any) -> str | None:
    return finished_report(folder, SETTINGS | changes, resumable=FREE, extendable=SIZE)


def test_a_finished_run_is_shown_to_who_asks_for_no_more(tmp_path: Path) -> None:
    run = old_run(tmp_path / "x")
    for changes in ({}, {"seeds": 2}, {"workers": 7}):
        text = said(run, **changes)
        assert text is not None
        assert text.startswith(
            "the report\n\nThis run was finished before; nothing was trained now. --new starts a new run"
        )


@pytest.mark.parametrize("changes", [{"seeds": 4}, {"phi": 2.0}, {"other": 1}])
def test_more_and_other_things_are_not_finished(changes: dict[str, Any], tmp_path: Path) -> None:
    assert said(old_run(tmp_path / "x"), **changes) is None


@pytest.mark.parametrize("status", [Status.INTERRUPTED, Status.FAILED, Status.RUNNING])
def test_an_unfinished_run_is_not(status: Status, tmp_path: Path) -> None:
    assert said(old_run(tmp_path / "x", status)) is None


def test_no_run_is_not_finished(tmp_path: Path) -> None:
    assert said(tmp_path / "nowhere") is None
    (tmp_path / REPORT).write_text("somebody's own result\n")
    assert said(tmp_path) is None


def test_another_commands_run_is_not_finished(tmp_path: Path) -> None:
    assert said(old_run(tmp_path / "x", settings={"trials": 3})) is None


def test_a_broken_configuration_is_one_line(tmp_path: Path) -> None:
    run = old_run(tmp_path / "x")
    (run / CONFIG).write_text("a: [1,\n")
    with pytest.raises(ValueError, match="(?s)config.yaml.*--new"):
        said(run)
    (run / CONFIG).write_text("- 1\n")
    assert said(run) is None


def test_new_keeps_the_old_run_under_another_name(tmp_path: Path) -> None:
    old_run(tmp_path / "x")
    with open_run(tmp_path / "x", SETTINGS, "scaling.x", seed=0, new=True, resumable=FREE) as run:
        assert not run.path(REPORT).exists()
    (moved,) = [path for path in tmp_path.iterdir() if path.name != "x"]
    assert (moved / REPORT).read_text() == "the report\n"


def test_the_command_is_written_down_without_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--storage", "postgresql://me:secret@host/db", "--phi", "1"])
    text = (old_run(tmp_path / "x") / "manifest.json").read_text()
    assert "secret" not in text
    assert "postgresql://me:***@host/db" in text
    assert "-m scaling.x" in text


def test_a_ledger_that_is_none_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    check_ledger(tmp_path / "nowhere", new=False)
    (tmp_path / "ledger.db").write_bytes(b"no database, but long enough to be taken for one by its size")
    with pytest.raises(ValueError, match="ledger"):
        check_ledger(tmp_path, new=False)
    check_ledger(tmp_path, new=True)

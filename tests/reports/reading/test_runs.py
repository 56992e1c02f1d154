"""Run folders as they are found: whole, unfinished, broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from reports.reading.runs import Kind, read_run


def test_a_finished_search(make_search: Any):
    run = read_run(make_search())
    assert (run.kind, run.name, run.status) == (Kind.SEARCH, "search", "finished")
    assert len(run.trials["search"]) == 4
    assert run.trials["finalists"].empty
    assert run.notes == []


def test_the_outcome_nan_is_no_missing_value(make_search: Any, make_trial: Any):
    run = read_run(make_search(rows=[make_trial(0, "nan", accuracy=float("nan")), make_trial(1)]))
    assert list(run.trials["search"]["outcome"]) == ["nan", "complete"]
    assert run.trials["search"]["accuracy"].isna().tolist() == [True, False]
    assert run.trials["search"]["accuracy"].dtype == float


def test_a_label_takes_the_folders_place(make_search: Any):
    import dataclasses

    assert dataclasses.replace(read_run(make_search()), label="other").name == "other"


def test_a_csv_cut_off_in_a_line_is_not_believed(make_search: Any):
    folder = make_search()
    text = (folder / "trials.csv").read_text()
    (folder / "trials.csv").write_text(text[:-7])
    run = read_run(folder)
    assert run.trials["search"].empty
    assert run.notes == ["trials.csv cannot be read: it ends in the middle of a line"]


def test_a_run_that_goes_on_is_read_from_its_ledger(make_search: Any):
    # Its CSV file, with four trials, is of an earlier session.
    folders = {status: make_search(status, status=status) for status in ("running", "finished")}
    for folder in folders.values():
        study = optuna.create_study(
            storage=f"sqlite:///{folder / 'ledger.db'}", study_name="search", direction="maximize"
        )
        study.add_trials([optuna.trial.create_trial(value=0.5) for _ in range(6)])
    assert len(read_run(folders["running"]).trials["search"]) == 6
    assert len(read_run(folders["finished"]).trials["search"]) == 4


@pytest.mark.parametrize("name", ["trials.csv", "result.json", "manifest.json"])
def test_an_empty_file_is_noted(make_search: Any, name: str):
    folder = make_search()
    (folder / name).write_text("")
    assert any(note.startswith(f"{name} ") for note in read_run(folder).notes)


def test_a_missing_arch_is_noted(make_search: Any):
    run = read_run(make_search())
    assert run.arch("best.json") is None
    assert [note.split()[0] for note in run.notes] == ["best.json"]


@pytest.mark.parametrize("text", [None, "", "a: 1\n", "- 1\n", "{", "target_flops: 1M\nagainst: {}\n"])
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"nas\.search.*scaling\.grid.*scaling\.curves") as caught:
        read_run(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="none"):
        read_run(tmp_path / "none")


@pytest.mark.parametrize(
    ("own", "studies"),
    [
        ({}, ["grid", "choice"]),
        ({"lr_per_network": False, "lr_factors": [1.0, 0.3]}, ["grid", "choice"]),
        (
            {"lr_per_network": True, "lr_factors": [0.3, 1.0]},
            ["grid-lr0.3", "grid", "paper-lr0.3", "paper", "choice-lr0.3", "choice"],
        ),
    ],
    ids=["old", "off", "on"],
)
def test_each_learning_rate_of_a_grid_is_a_study(tmp_path: Path, own: dict[str, Any], studies: list[str]):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"choice_seeds": 2, **own}))
    (tmp_path / "grid-trials.csv").write_text("number\n0\n1\n")
    (tmp_path / "manifest.json").write_text(json.dumps({"status": "finished"}))
    found = read_run(tmp_path)
    assert list(found.trials) == studies
    assert len(found.trials["grid"]) == 2

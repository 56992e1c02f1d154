"""Run folders: made, resumed, refused, locked; and files written whole or not at all."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from search_spaces.common.files import atomic_write
from studies.runs.folder import RunFolder, Status, read_manifest

CONFIG = {"space": "mnasnet", "proxy": {"width": 0.25, "epochs": 2}, "trials": 32}


def test_a_run_records_what_made_it(tmp_path: Path) -> None:
    with RunFolder.open(
        tmp_path / "runs" / "x", CONFIG, command=["python", "-m", "nas.search", "--run", "a b"], seed=7
    ) as run:
        assert read_manifest(run.folder)["status"] == Status.RUNNING
        run.write("best.json", "{}")
        run.write("weights/finalist.bin", b"\x00\x01")
    manifest = read_manifest(run.folder)
    (session,) = manifest["sessions"]
    assert (manifest["status"], manifest["seed"]) == (Status.FINISHED, 7)
    assert session["command"] == "python -m nas.search --run 'a b'"
    assert {"python", "torch", "ray", "optuna", "numpy"} <= set(session["versions"])
    assert session["machine"]["cores"] >= 1
    assert manifest["start"] <= manifest["end"]
    assert yaml.safe_load((run.folder / "config.yaml").read_text()) == CONFIG
    assert (run.folder / "weights" / "finalist.bin").read_bytes() == b"\x00\x01"


def test_the_same_configuration_resumes(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), RunFolder.open(tmp_path, CONFIG):
        raise KeyboardInterrupt
    assert read_manifest(tmp_path)["status"] == Status.INTERRUPTED
    with RunFolder.open(tmp_path, CONFIG):
        assert read_manifest(tmp_path)["status"] == Status.RUNNING
    with RunFolder.open(tmp_path, {**CONFIG, "trials": 64}, resumable=["trials"]):
        pass
    manifest = read_manifest(tmp_path)
    assert [session["status"] for session in manifest["sessions"]] == [
        Status.INTERRUPTED,
        Status.FINISHED,
        Status.FINISHED,
    ]
    assert manifest["start"] == manifest["sessions"][0]["start"]
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["trials"] == 64


def test_another_configuration_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, CONFIG).close(Status.FINISHED)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    other = {"space": "mnasnet", "proxy": {"width": 0.5, "epochs": 2}, "trials": 32, "dataset": "cifar10"}
    with pytest.raises(ValueError, match=r"proxy\.width=0\.25, now 0\.5") as caught:
        RunFolder.open(tmp_path, other)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_run_of_other_code_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    folder, code = tmp_path / "x", {"my_images": "0123456789abcdef", "my_sampler": "1"}
    RunFolder.open(folder, CONFIG, code={"my_images": "0123456789abcdef"}).close(Status.INTERRUPTED)
    RunFolder.open(folder, CONFIG, code=code).close(Status.FINISHED)
    assert read_manifest(folder)["code"] == code
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match=r"my_images.*--new.*--run") as caught:
        RunFolder.open(folder, CONFIG, code={**code, "my_images": "another"})
    assert "my_sampler" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    RunFolder.open(folder, CONFIG, code={"my_images": "another"}, new=True).close(Status.FINISHED)
    assert read_manifest(folder)["code"] == {"my_images": "another"}


def test_a_new_run_moves_an_old_one_aside(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    with RunFolder.open(folder, CONFIG) as run:
        run.write("best.json", "old")
    for _ in range(2):
        with RunFolder.open(folder, {"space": "small"}, new=True):
            assert not (folder / "best.json").exists()
    aside = sorted(path.name for path in tmp_path.iterdir() if path.name != "x")
    assert len(aside) == 2
    assert (tmp_path / aside[0] / "best.json").read_text() == "old"


def test_failures_are_recorded(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), RunFolder.open(tmp_path, CONFIG):
        raise RuntimeError("the disk\nis full")
    session = read_manifest(tmp_path)["sessions"][0]
    assert session["status"] == Status.FAILED
    assert session["reason"].splitlines() == [session["reason"]]
    assert {"RuntimeError", "disk"} <= set(session["reason"].replace(":", "").split())


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for folder in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(ValueError, match=f"{folder} .*--run"):
            RunFolder.open(folder, CONFIG)
    with pytest.raises(ValueError, match="nowhere"):
        read_manifest(tmp_path / "nowhere")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["[]", "{", '{"format": "other"}', "\udcff"])
def test_a_damaged_manifest_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text, errors="surrogateescape")
    with pytest.raises(ValueError, match=r"manifest\.json.*--run") as caught:
        RunFolder.open(tmp_path, CONFIG)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: [1,\n", "- 1\n", "", "\udcff", None])
def test_a_damaged_configuration_is_named(text: str | None, tmp_path: Path) -> None:
    RunFolder.open(tmp_path, CONFIG).close(Status.FINISHED)
    if text is None:
        (tmp_path / "config.yaml").unlink()
    else:
        (tmp_path / "config.yaml").write_text(text, errors="surrogateescape")
    with pytest.raises(ValueError, match=r"config\.yaml.*--new") as caught:
        RunFolder.open(tmp_path, CONFIG)
    assert "\n" not in str(caught.value)
    RunFolder.open(tmp_path, CONFIG, new=True).close(Status.FINISHED)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    # Nobody can make a folder below a file, not even root.
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=str(tmp_path / "file" / "run")):
        RunFolder.open(tmp_path / "file" / "run", CONFIG)


@pytest.mark.skipif(os.geteuid() == 0, reason="NOT RUN: root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match=str(tmp_path / "run")):
        RunFolder.open(tmp_path / "run", CONFIG)


HOLDER = """
import sys, time
sys.path.insert(0, {root!r})
from studies.runs.folder import RunFolder
run = RunFolder.open({folder!r}, {config!r})
print("locked", flush=True)
time.sleep(60)
"""


def test_a_live_process_keeps_others_out_a_dead_one_does_not(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    code = HOLDER.format(root=root, folder=str(tmp_path), config=CONFIG)
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    with pytest.raises(ValueError, match=f"{tmp_path} .*{holder.pid}"):
        RunFolder.open(tmp_path, CONFIG)
    holder.kill()
    holder.communicate()
    with RunFolder.open(tmp_path, CONFIG):
        pass
    statuses = [session["status"] for session in read_manifest(tmp_path)["sessions"]]
    assert statuses == [Status.KILLED, Status.FINISHED]


def test_the_log_takes_our_messages_only_while_the_run_is_open(tmp_path: Path) -> None:
    with RunFolder.open(tmp_path, CONFIG):
        logging.getLogger("studies.ledger.ledger").info("trial 3 begins")
        logging.getLogger("someone.else").error("noise")
    logging.getLogger("studies.ledger.ledger").info("too late")
    (line,) = (tmp_path / "log.txt").read_text().splitlines()
    assert line.endswith("INFO studies.ledger.ledger: trial 3 begins")


def test_atomic_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic_write(path, "first")
    atomic_write(path, json.dumps({"ä": 1}, ensure_ascii=False))
    assert path.read_text(encoding="utf-8") == '{"ä": 1}'
    with pytest.raises(TypeError):
        atomic_write(path, 3)  # type: ignore[arg-type]
    assert path.read_text(encoding="utf-8") == '{"ä": 1}'
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask

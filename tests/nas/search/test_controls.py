"""Controls in the whole search: planned, trained beside finalists, judged, extended, adopted, and on their own."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import search_spaces as ss
from nas.controls.choose import REFERENCE
from nas.search import __main__ as search
from reports.reading.runs import read_run
from reports.search import section as search_section
from reports.summary import section as summary_section
from reports.summary.answers import answer, question
from search_spaces.common import cli
from studies.runs.folder import read_manifest

BASE = (
    "--target-flops 5M --space small --resolution 16 --proxy.width 0.25 --proxy.resolution 8 --proxy.images 32 "
    "--proxy.epochs 1 --trials 2 --finalists 1 --finalist.seeds 2 --sampler random --workers 0"
)


def words(images: str, folder: Path, more: str = "") -> list[str]:
    return [*BASE.split(), "--dataset", images, "--run", str(folder), *more.split()]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "finalists.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def trained(folder: Path) -> list[tuple[str, str, str]]:
    return [(row["phase"], row["key"], row["seed"]) for row in rows(folder)]


def result_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


@pytest.fixture(scope="module")
def first(few_images: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with two controls and a random one."""
    folder = tmp_path_factory.mktemp("runs") / "x"
    flags = "--controls mobilenet_v2 resnet18 --random-controls 1"
    assert cli.run(search.main, words(few_images, folder, flags)) == 0
    return folder


def test_controls_are_trained_with_the_finalists_seeds(first: Path):
    found = trained(first)
    finalists = {(key, seed) for phase, key, seed in found if phase == "finalist"}
    controls = {(key, seed) for phase, key, seed in found if phase == "control"}
    assert {seed for _, seed in finalists} == {seed for _, seed in controls} == {"1000", "1001"}
    # mobilenet_v2, resnet18, the space's reference and a random one, two seeds each.
    assert (len(finalists), len(controls)) == (2, 8)
    assert len(found) == 10


def test_controls_change_nothing_of_candidates_and_finalists(first: Path, few_images: str, tmp_path: Path):
    assert cli.run(search.main, words(few_images, tmp_path / "x", "--controls none --random-controls 0")) == 0
    alone = [(row["key"], row["seed"], row["accuracy"]) for row in rows(tmp_path / "x")]
    beside = [(row["key"], row["seed"], row["accuracy"]) for row in rows(first) if row["phase"] == "finalist"]
    assert alone == beside
    result = result_of(tmp_path / "x")
    assert result["controls"] == result["verdict"]["sentences"] == []
    assert (tmp_path / "x" / "result.txt").read_text().startswith("Best baseline")


def test_the_verdict_comes_first(first: Path):
    text, result = (first / "result.txt").read_text(), result_of(first)
    assert next(iter(result)) == "verdict"
    assert text.startswith(result["verdict"]["sentences"][0])
    assert [one["name"] for one in result["controls"]] == ["mobilenet_v2", "resnet18", REFERENCE, "random 1"]
    for one in result["controls"][:3]:
        assert one["cost_over_target"] == pytest.approx(1, abs=0.03)
        assert len(one["accuracies"]) == 2


def test_reports_begin_with_the_verdict_and_show_controls(first: Path):
    run, sentences = read_run(first), result_of(first)["verdict"]["sentences"]
    assert answer(run).startswith(sentences[0])
    (section,) = search_section.sections([run])
    assert str(section.items[0]).startswith(sentences[0])
    tables = {item.name: item for item in section.items if hasattr(item, "columns")}
    assert [row["name"] for row in tables["search-controls"].rows][-1] == "random 1"
    assert len(tables["search-finalists"].rows) == 1
    assert {row["phase"] for row in tables["search-outcomes"].rows} == {"candidates", "finalists", "controls"}
    assert summary_section.sections([run])


@pytest.fixture(scope="module")
def extended(first: Path, few_images: str) -> Path:
    """The same run with a further control, a further random one, and the best control in place of the winner."""
    flags = "--controls mobilenet_v2 resnet18 mobilenet_v1 --random-controls 2"
    assert cli.run(search.main, words(few_images, first, flags)) == 0
    return first


def test_more_controls_extend_a_run(extended: Path):
    found = trained(extended)
    assert len(found) == len(set(found)) == 14
    names = [one["name"] for one in result_of(extended)["controls"]]
    assert names == ["mobilenet_v2", "resnet18", "mobilenet_v1", REFERENCE, "random 1", "random 2"]


def test_a_control_is_adopted_after_the_run_and_given_back(extended: Path, few_images: str):
    before, flags = len(trained(extended)), "--controls mobilenet_v2 resnet18 mobilenet_v1 --random-controls 2"
    best = (extended / "best.json").read_text()
    assert cli.run(search.main, words(few_images, extended, f"{flags} --adopt-control")) == 0
    result = result_of(extended)
    ahead = result["verdict"]["control_is_ahead"]
    rewards = {one["key"]: one["reward"] for one in result["controls"] if not one["random"]}
    winner = result["finalists"][0]
    assert ahead == (max(rewards.values()) > winner["reward"])
    expected = max(rewards, key=lambda key: rewards[key]) if ahead else winner["key"]
    assert result["best"]["key"] == ss.Arch.load(extended / "best.json").key == expected
    assert bool(result["verdict"]["adopted"]) == ahead
    assert len(trained(extended)) == before
    assert cli.run(search.main, words(few_images, extended, flags)) == 0
    assert (extended / "best.json").read_text() == best


def test_a_finished_run_is_shown_again(extended: Path, few_images: str, capsys: pytest.CaptureFixture[str]):
    flags = "--controls mobilenet_v2 resnet18 mobilenet_v1 --random-controls 1"
    sessions = len(read_manifest(extended)["sessions"])
    assert cli.run(search.main, words(few_images, extended, flags)) == 0
    assert "finished before" in capsys.readouterr().out
    assert len(read_manifest(extended)["sessions"]) == sessions


def test_only_controls(few_images: str, tmp_path: Path):
    flags = "--only-controls --controls mobilenet_v2 resnet18 --random-controls 1"
    assert cli.run(search.main, words(few_images, tmp_path / "x", flags)) == 0
    found, result = trained(tmp_path / "x"), result_of(tmp_path / "x")
    assert {phase for phase, _, _ in found} == {"control"}
    assert len(found) == 8
    known = {one["key"]: one["reward"] for one in result["controls"] if not one["random"]}
    assert result["best"]["key"] == max(known, key=lambda key: known[key])
    assert ss.Arch.load(tmp_path / "x" / "best.json").key == result["best"]["key"]
    assert (tmp_path / "x" / "best-proxy.safetensors").exists()
    assert result["verdict"]["only_controls"]
    run = read_run(tmp_path / "x")
    assert "known network" in question(run)
    assert (tmp_path / "x" / "result.txt").read_text().startswith("Best known network")
    (section,) = search_section.sections([run])
    assert any(getattr(item, "name", "") == "search-controls" for item in section.items)
    assert summary_section.sections([run])


@pytest.mark.parametrize(
    ("flags", "fragment"),
    [
        ("--controls mobilenet_v3", "mobilenet_v2"),
        ("--controls none mobilenet_v2", "none"),
        ("--controls mobilenet_v2 --max-params 140K", "140K"),
        ("--controls none --adopt-control", "--adopt-control"),
        ("--controls none --only-controls", "--only-controls"),
        ("--random-controls -1", "--random-controls"),
    ],
)
def test_mistakes_are_one_line_before_anything_is_written(
    few_images: str, tmp_path: Path, flags: str, fragment: str, capsys: pytest.CaptureFixture[str]
):
    assert cli.run(search.main, words(few_images, tmp_path / "x", flags)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert fragment in line
    assert not (tmp_path / "x").exists()


def test_the_plan_lists_controls(few_images: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    flags = "--controls mobilenet_v2 --random-controls 2 --dry-run"
    assert cli.run(search.main, words(few_images, tmp_path / "x", flags)) == 0
    lines = capsys.readouterr().out.splitlines()
    (count,) = [line for line in lines if line.startswith("controls")]
    assert "4 x 2 seeds" in count
    named = [line.strip().partition("  ")[0] for line in lines if line.startswith("  ")]
    assert named == ["mobilenet_v2", REFERENCE, "random 1", "random 2"]


def test_a_control_that_exceeds_memory_is_refused(few_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nas.search.controls.memory_here", lambda: 1 << 20)
    with pytest.raises(ValueError, match=r"mobilenet_v2.*1MiB"):
        search.main(words(few_images, tmp_path / "x", "--controls mobilenet_v2"))

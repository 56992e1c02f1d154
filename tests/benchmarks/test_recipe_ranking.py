"""The study of recipes and rankings: its networks, the search of a network's own best rate, resuming, comparisons."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

import search_spaces as ss
from benchmarks.recipe_ranking.__main__ import Study, zero_norms
from benchmarks.recipe_ranking.analysis import candidate_scores, reference_of
from benchmarks.recipe_ranking.networks import Member, members
from benchmarks.recipe_ranking.records import Records, Result, Setting, Training, append, read
from benchmarks.recipe_ranking.variants import Candidate, next_rate
from search_spaces.networks.module import ShortcutBlock, build
from studies.data.load import load

ROOT = Path(__file__).parents[2]
SETTING = Setting("photos", 48, 2000, "quick", 2)
TARGET = 2_000_000


@pytest.mark.parametrize("resolution", [32, 48])
def test_networks_differ_and_cost_the_same(resolution: int) -> None:
    found = _networks(resolution)
    assert len({member.arch.key for member in found}) == len(found) == 24
    made = [member for member in found if member.skip != "drawn"]
    assert len(made) == 12
    for member in found:
        assert 0.8 * TARGET <= ss.cost(member.arch).macs <= 1.05 * TARGET
    costs = {member.name: ss.cost(member.arch).macs for member in made}
    # Shortcuts cost no multiply-adds.
    assert costs["deep/pool"] == costs["deep/identity"] == costs["deep/none"]


def test_the_own_best_rate_has_both_neighbours_tried() -> None:
    assert next_rate({0.1: 0.2, 0.03: 0.1}) == 0.3
    assert next_rate({0.1: 0.1, 0.03: 0.2}) == 0.01
    assert next_rate({0.1: 0.1, 0.03: 0.2, 0.01: 0.3}) == 0.003
    assert next_rate({0.3: 0.1, 0.1: 0.2, 0.03: 0.1}) is None
    # 0.3 is the end of the grid.
    assert next_rate({0.3: 0.3, 0.1: 0.2, 0.03: 0.1}) is None


@pytest.mark.parametrize("text", ["zero-nor@0.1", "as-is", "as-is@fast"])
def test_a_candidate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unknown variant|a candidate is"):
        Candidate.parse(text)


def test_a_cut_line_is_trained_again_and_others_are_kept(tmp_path: Path) -> None:
    path, result = tmp_path / "new" / "results.csv", Result(0.25, (0.125, 0.25), (3.0, 2.5), 7.5)
    first, second = (Training("net", "00ff", "as-is", rate, 1) for rate in (0.1, 0.03))
    append(path, SETTING, first, result)
    append(path, SETTING, second, result)
    path.write_text(path.read_text()[:-20])
    assert read(path, SETTING) == {first: result}
    append(path, SETTING, second, result)
    assert read(path, SETTING) == {first: result, second: result}
    assert read(path, replace(SETTING, passes=8)) == {}
    assert read(tmp_path / "missing.csv", SETTING) == {}


def test_a_resumed_study_trains_what_is_missing() -> None:
    # Accuracy by rate: the best is 0.03 for every network.
    accuracies = {0.1: 0.2, 0.03: 0.3, 0.01: 0.1}
    whole = _run({}, accuracies)
    assert len(whole) == 24 * 3 + 24
    half = dict(list(whole.items())[:50])
    assert _run(half, accuracies) == whole
    assert {training.lr for training in whole if training.seed == 1} == {0.1, 0.03, 0.01}
    reference = reference_of(_networks(), whole, [1])
    assert set(reference.scores.values()) == {0.3}
    assert set(reference.best.values()) == {0.03}
    assert reference.ends == 24
    # The first 60 trainings are the reference at its two first rates, and half of the candidate's.
    begun = reference_of(_networks(), dict(list(whole.items())[:60]), [1])
    assert (begun.scores, begun.ends) == (reference.scores, 0)


def test_the_better_of_two_rates_is_the_one_with_the_lower_first_loss() -> None:
    def at(network: str, rate: float, accuracy: float, loss: float) -> tuple[Training, Result]:
        return Training(network, network, "as-is", rate, 0), Result(accuracy, (0.1, accuracy), (loss, 1.0), 1.0)

    # For network a the first loss and the last accuracy agree, for b they do not.
    rows = [at("a", 0.1, 0.5, 2.0), at("a", 0.03, 0.4, 2.5), at("b", 0.1, 0.5, 2.5), at("b", 0.03, 0.4, 2.0)]
    assert candidate_scores(dict(rows), 0) == {
        "as-is@0.1": {"a": 0.5, "b": 0.5},
        "as-is@0.03": {"a": 0.4, "b": 0.4},
        "as-is@0.1 or 0.03": {"a": 0.5, "b": 0.4},
    }


def test_with_zero_norms_a_block_starts_as_its_shortcut() -> None:
    network = build(_networks()[0].arch)
    zero_norms(network)
    blocks = [block for block in network.modules() if isinstance(block, ShortcutBlock)]
    having = [block for block in blocks if block.shortcut is not None]
    assert 0 < len(having) < len(blocks)
    for block in having:
        assert block.shortcut is not None
        channels = next(part for part in block.modules() if isinstance(part, torch.nn.Conv2d)).in_channels
        maps = torch.randn(2, channels, 8, 8)
        assert torch.equal(block(maps), block.shortcut(maps))


def test_an_unknown_candidate_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    words = ["--candidates", "zero-nor@0.1", "--out", str(tmp_path / "out.csv")]
    command = [sys.executable, "-m", "benchmarks.recipe_ranking", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@cache
def _networks(resolution: int = 32) -> list[Member]:
    return members(resolution, 10, TARGET)


def _run(records: Records, accuracies: dict[float, float]) -> Records:
    """All results of a study with one candidate, its trainings replaced by a table of accuracies by rate."""
    records, data = dict(records), load("fashion-mnist-mini")
    study = Study(SETTING, data, _networks(), [1], [Candidate("zero-norm", 0.1)], candidate_seed=0)
    for _, training in study.missing(records):
        records[training] = Result(accuracies[training.lr], (accuracies[training.lr],), (1.0,), 1.0)
    return records

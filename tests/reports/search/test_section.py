"""The section about a search: its tables and sentences, and that broken runs become sentences too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import search_spaces as ss
from reports.page.content import Figure, Section, Table
from reports.page.network_tables import layer_rows, stage_rows
from reports.page.render import render
from reports.reading.runs import Kind, RunData, read_run
from reports.search.data import searches
from reports.search.section import sections
from search_spaces.metrics.tables import stage_table
from tests.texts import values

T = 1_000_000
CONFIG: dict[str, Any] = {
    "target_flops": "1M", "objective": {"name": "soft", "weight": -0.07}, "strategy": "tpe", "space": "small",
    "data": {"dataset": "fashion-mnist-mini"}, "scheduler": "asha",
    "proxy": {"resolution": 28, "width": 0.25, "epochs": 2},
}  # fmt: skip


def trial(number: int, accuracy: float | None, **changes: Any) -> dict[str, Any]:
    fields = {
        "number": number, "phase": "candidate", "outcome": "complete", "reason": "", "accuracy": accuracy, "macs": T,
        "seconds": 10.0, "key": f"k{number}", "proposed_by": "tpe", "never_pruned": False, "repeat_of": None,
        "accuracy_1": accuracy and accuracy / 2, "accuracy_2": accuracy, "choice_stage1.op": "conv",
    }  # fmt: skip
    return fields | changes


def run_of(
    rows: list[dict[str, Any]], finalists: Sequence[dict[str, Any]] = (), folder: str = "runs/a", **changes: Any
) -> RunData:
    trials = {"search": pd.DataFrame(rows), "finalists": pd.DataFrame(list(finalists))}
    run = RunData(Path(folder), Kind.SEARCH, CONFIG, {}, trials, {}, pd.DataFrame(), [])
    return replace(run, **changes)


def table(section: Section, name: str) -> Table:
    return next(item for item in section.items if isinstance(item, Table) and item.name == name)


def figures(section: Section) -> set[str]:
    return {item.name for item in section.items if isinstance(item, Figure)}


def numbers(section: Section) -> list[list[str]]:
    """The numbers in each paragraph of the section's text."""
    return [values(item) for item in section.items if isinstance(item, str)]


def test_rewards_are_the_objectives_and_the_best_so_far_counts_complete_trials_only():
    rows = [
        trial(0, 0.5, macs=2 * T),
        trial(1, 0.9, outcome="pruned"),
        trial(2, 0.8, outcome="interrupted"),
        trial(3, 0.6, macs=T // 2),
        trial(4, 0.55),
        trial(5, None, outcome="running"),
    ]
    trials = searches([run_of(rows)])[0].trials
    # The interrupted trial is run again under another number, and the running one is not over.
    assert list(trials["number"]) == [0, 1, 3, 4]
    expected = [0.5 * 2**-0.07, 0.9, 0.6 * 2**0.07, 0.55]
    np.testing.assert_allclose(trials["reward"], expected)
    np.testing.assert_allclose(trials["best"], [expected[0], expected[0], expected[2], expected[2]])
    assert list(trials["spent"]) == [10, 20, 30, 40]


def test_repeats_and_replicates_are_one_network():
    searched = searches([run_of([trial(0, 0.5), trial(1, 0.5, key="k0", repeat_of=0), trial(2, 0.4)])])[0]
    assert list(searched.complete["number"]) == [0, 2]


def test_diverged_trials_survive_the_csv_file(tmp_path: Path):
    rows = [trial(0, 0.5), trial(1, None, outcome="nan", reason="loss is nan"), trial(2, 0.4, outcome="pruned")]
    pd.DataFrame(rows).to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "config.yaml").write_text("target_flops: 1M\n")
    (tmp_path / "manifest.json").write_text("{}")
    (section,) = sections([read_run(tmp_path)])
    outcomes = {row["outcome"]: row["trials"] for row in table(section, "search-outcomes").rows}
    assert outcomes == {"complete": 1, "nan": 1, "pruned": 1}
    assert table(section, "search-failures").rows[0]["reason"] == "loss is nan"
    # Candidates: all, trained to the end, stopped early, failed.
    assert numbers(section)[0][-4:] == ["3", "1", "1", "1"]


def test_other_objectives_may_pick_another_network():
    # 0.80 at T/2 against 0.82 at T: the soft reward prefers the small one, accuracy alone the large one.
    (section,) = sections([run_of([trial(0, 0.80, macs=T // 2), trial(1, 0.82)])])
    rows = {str(row["objective"]): row for row in table(section, "search-objectives").rows}
    own = rows["accuracy * (FLOPs/T)^-0.07 (this search)"]
    assert (own["key"], own["rank"], own["winner"]) == ("k0", 1, True)
    assert (rows["accuracy"]["key"], rows["accuracy"]["rank"]) == ("k1", 2)
    # Neither is above T, so the hard constraint compares accuracies.
    assert rows["accuracy, times T/FLOPs above T"]["key"] == "k1"
    # 0.80 * 2^0.035 = 0.8196 < 0.82.
    assert rows["accuracy * (FLOPs/T)^-0.035"]["key"] == "k1"
    # 2 of 5 other objectives pick the winner among 2 networks.
    assert ["2", "5", "2"] in [row[:3] for row in numbers(section)]
    assert "search-weights" in figures(section)


def test_finalists_are_ranked_with_intervals_of_the_pooled_seeds():
    finalists = [
        trial(0, 0.60, key="a", seed=0), trial(1, 0.62, key="a", seed=1),
        trial(2, 0.50, key="b", seed=0), trial(3, 0.54, key="b", seed=1), trial(4, 0.9, key="b", outcome="interrupted"),
    ]  # fmt: skip
    result = {"best": {"key": "a"}, "indistinguishable_from_best": []}
    (section,) = sections([run_of([trial(0, 0.5, key="a"), trial(1, 0.4, key="b")], finalists, result=result)])
    best, other = table(section, "search-finalists").rows
    assert (best["key"], best["verdict"], other["verdict"]) == ("a", "the best", "worse")
    assert best["accuracy"] == pytest.approx(0.61)
    # Pooled variance (0.0002 + 0.0008) / 2 = 0.0005 with 2 degrees of freedom, t = 4.303.
    assert best["half"] == pytest.approx(4.302653 * (0.0005 / 2) ** 0.5, rel=1e-5)


def test_the_counterfactual_needs_twenty_uniform_trials():
    few = [trial(i, 0.4 + 0.01 * i, proposed_by="uniform" if i < 19 else "tpe") for i in range(25)]
    (section,) = sections([run_of(few)])
    assert ["19", "20"] in numbers(section)
    assert "search-random" not in figures(section)
    (section,) = sections([run_of([row | {"proposed_by": "uniform"} for row in few[:20]])])
    assert "search-random" in figures(section)
    assert ["20", "0.5900"] in [row[:2] for row in numbers(section)]


def test_rungs_are_judged_by_exempt_networks_unless_nothing_is_stopped():
    rows = [trial(i, 0.4 + 0.01 * i, never_pruned=i < 2) for i in range(5)]
    (section,) = sections([run_of(rows)])
    # 2 networks exempt from early stopping, at least 3 needed.
    assert numbers(section)[-1] == ["2", "3"]
    (section,) = sections([run_of(rows, config=CONFIG | {"scheduler": "none"})])
    (row,) = table(section, "search-rungs").rows
    assert (row["step"], row["tau"], row["n"]) == (1, pytest.approx(1), 5)


@pytest.mark.parametrize(
    ("rows", "changes", "missing"),
    [
        ([], {}, "candidate"),
        ([trial(0, None, outcome="error", reason="<b>$x$</b>")], {}, "candidate"),
        ([trial(0, 0.5)], {"config": {"target_flops": "soon"}}, "reward"),
        ([{"number": 0, "outcome": "complete", "accuracy": 0.5}], {}, "reward"),
        ([{"outcome": "complete"}, {"outcome": "pru"}], {"config": {}}, "reward"),
        ([trial(0, 0.5)], {"result": {"best": 3, "proxy": []}}, "winner"),
    ],
)
def test_broken_and_unfinished_runs_name_what_is_missing(
    rows: list[dict[str, Any]], changes: dict[str, Any], missing: str
):
    (section,) = sections([run_of(rows, **changes)])
    (line,) = section.missing
    assert re.search(f"{missing}.*nas.search --config runs/a/config.yaml", line)
    for item in section.items:
        if isinstance(item, Figure):
            render(item, item.name)


def test_several_searches_stand_side_by_side():
    first, second = (
        run_of([trial(0, 0.5)], folder="runs/a"),
        run_of([trial(0, 0.6), trial(1, 0.7)], folder="runs/b $x$"),
    )
    compared, one, two = sections([first, second])
    rows = table(compared, "search-runs").rows
    assert [(row["run"], row["trials"], row["best"]) for row in rows] == [("a", 1, 0.5), ("b $x$", 2, 0.7)]
    assert not compared.warnings
    assert figures(one).isdisjoint(figures(two))
    other = run_of([trial(0, 0.5)], folder="runs/c", config=CONFIG | {"target_flops": "2M"})
    assert len(sections([first, other])[0].warnings) == 1


def test_no_search_no_section():
    assert sections([]) == []
    assert sections([replace(run_of([]), kind=Kind.GRID)]) == []


@pytest.mark.parametrize("name", ["efficientnet_b0", "resnet50"])
def test_network_tables_add_up_and_read_as_the_printed_ones(name: str):
    arch = ss.get(name)
    stages, layers = stage_rows(arch), layer_rows(arch)
    for rows in (stages, layers):
        assert sum(int(row["macs"] or 0) for row in rows) == ss.cost(arch).macs
        assert sum(int(row["params"] or 0) for row in rows) == ss.cost(arch).params
        assert sum(float(row["share"] or 0) for row in rows) == pytest.approx(1)
    printed = [line.split() for line in stage_table(arch).splitlines()[1:]]
    for row, line in zip(stages[1:-2], printed[1 : len(stages) - 2], strict=True):
        assert line[0] == row["stage"]
        assert f"{row['input']} {row['out']} {row['layers']} {row['stride']}" in " ".join(line)

"""The summary: questions, answers, costs and facts, against hand arithmetic."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nas.search.wording import describe_finalists
from reports.page.content import Section, Table
from reports.reading.runs import read_run
from reports.summary import section as summary
from reports.summary.answers import answer, question
from scaling.curves.conclusions import CurvesConclusions
from scaling.grid.conclusions import GridConclusions
from tests.texts import values

# Of the kind that scaling.curves writes; compound 3 points above width, with 6 seeds.
CURVES = {
    "multiple": 4.0, "compound": "compound", "best_single": "width", "found_alone": None, "against_all": {},
    "found_against_paper": None, "accuracy_per_doubling": 0.02, "predicted": [], "loglinear_error": None,
    "main": {"difference": {"value": 0.03, "low": 0.02, "high": 0.04, "n": 6}, "p_permutation": 0.03125,
             "p_equivalence": 1.0, "margin": 0.005, "comparisons": 1},
    "points": [
        {"curve": "compound", "multiple": 4.0, "is_raw": False, "macs": 4_000_000,
         "test_accuracy": {"value": 0.63, "low": 0.62, "high": 0.64, "n": 6}},
        {"curve": "width", "multiple": 4.0, "is_raw": False, "macs": 4_100_000,
         "test_accuracy": {"value": 0.60, "low": 0.59, "high": 0.61, "n": 6}},
    ],
}  # fmt: skip
GRID = {
    "phi": 1.0, "coefficients": {"alpha": 1.2, "beta": 1.1, "gamma": 1.15}, "law": None,
    "realised": {"alpha": 1.2, "beta": 1.1, "gamma": 1.15},
    "grid": {"points": 2, "networks": 2, "left_out": {}, "target_macs": 2_000_000},
    "networks": [{"indistinguishable_from_best": True}, {"indistinguishable_from_best": False}],
    "range_of_indistinguishable": {"alpha": [1.2, 1.2], "beta": [1.1, 1.1], "gamma": [1.15, 1.15]},
    "choice": {"key": "k", "seeds": [1000, 1001, 1002], "paper_key": "other", "paper_excess": "",
               "validation_accuracy": {"value": 0.71, "low": 0.7, "high": 0.72, "n": 3},
               "test_accuracy": {"value": 0.7, "low": 0.69, "high": 0.71, "n": 3},
               "paper_test_accuracy": {"value": 0.696, "low": 0.686, "high": 0.706, "n": 3},
               "against_paper": {"difference": {"value": 0.004, "low": -0.01, "high": 0.018, "n": 3},
                                 "p_permutation": None, "p_equivalence": 0.4, "margin": 0.005, "comparisons": 1}},
}  # fmt: skip


@pytest.fixture
def make_scaling(tmp_path: Path) -> Any:
    """A function that writes a run folder of scaling.grid or scaling.curves with a result alone."""

    def make(kind: str, result: Any) -> Path:
        folder = tmp_path / kind
        folder.mkdir()
        config = {"grid": {"choice_seeds": 3, "seeds": 3}, "curves": {"multiples": [1, 4], "main_seeds": 6, "seeds": 3}}
        (folder / "config.yaml").write_text(yaml.safe_dump({**config[kind], "data": {"dataset": "cifar10"}}))
        (folder / "manifest.json").write_text('{"status": "finished", "sessions": []}')
        name = {"grid": "coefficients.json", "curves": "curves.json"}[kind]
        (folder / name).write_text(json.dumps(result))
        return folder

    return make


def table(section: Section, name: str) -> Table:
    return next(item for item in section.items if isinstance(item, Table) and item.name == name)


def texts(section: Section) -> list[str]:
    return [item for item in section.items if isinstance(item, str)]


def test_a_searchs_answer_has_its_numbers(make_search: Any):
    run = read_run(make_search())
    assert re.fullmatch(r".* small .* 1M .* fashion-mnist-mini\?", question(run))
    text = answer(run)
    for value in ("aaaa", "1.037M FLOPs", "103.7 %", "60.36K", "62.5 ± 6.0 %", describe_finalists(1, 1)):
        assert value in text


@pytest.mark.parametrize(
    ("others", "equals", "number"), [(0, [], 0), (1, [], 0), (3, [], 0), (3, ["b"], 1), (3, None, None)]
)
def test_the_answer_compares_the_finalists(make_search: Any, others: int, equals: Any, number: int | None):
    result = copy.deepcopy(json.loads((make_search() / "result.json").read_text()))
    result |= {"finalists": [{}] * (1 + others), "indistinguishable_from_best": equals}
    assert answer(read_run(make_search("other", result=result))).endswith(describe_finalists(others, number))


def test_a_grids_answer_has_its_conclusions(make_scaling: Any):
    conclusions, text = GridConclusions.of_file(GRID), answer(read_run(make_scaling("grid", GRID)))
    for line in (conclusions.describe_equals(), conclusions.describe_choice(), conclusions.compare_with_paper()):
        assert line in text


def test_curves_answer_with_the_contrast_and_both_accuracies(make_scaling: Any):
    text = answer(read_run(make_scaling("curves", CURVES)))
    (main,) = CurvesConclusions.of_file(CURVES).describe_main()
    assert text.startswith(main)
    for value in ("63.0 ± 1.0 %", "4M", "60.0 ± 1.0 %", "4.1M"):
        assert value in text


def test_curves_with_nothing_to_compare_say_so(make_scaling: Any):
    assert answer(read_run(make_scaling("curves", CURVES | {"main": None}))).startswith("none; ")


@pytest.mark.parametrize("result", [{"best": {}}, {"best": None, "proxy": 3}])
def test_a_broken_result_is_no_traceback(make_search: Any, result: Any):
    assert answer(read_run(make_search(result=result))).startswith("none: ")


@pytest.mark.parametrize(
    ("outcomes", "numbers"), [([], []), (["error", "nan"], ["2"]), (["complete", "pruned", "complete"], ["2", "3"])]
)
def test_a_run_without_a_result_counts_its_trainings(
    make_search: Any, make_trial: Any, outcomes: list[str], numbers: list[str]
):
    trials = [make_trial(number, outcome) for number, outcome in enumerate(outcomes)]
    folder = make_search(rows=trials or [{"number": None}], result=None, status="running")
    if not trials:
        (folder / "trials.csv").unlink()
    text = answer(read_run(folder))
    assert values(text) == numbers
    assert re.match("none.*running", text)


def test_the_cost_counts_each_training_once(make_search: Any, make_trial: Any):
    trials = [make_trial(0, seconds=1800.0), make_trial(1, seconds=900.0), make_trial(2, repeat_of=1, seconds=0.0)]
    finalists = [make_trial(0, seconds=900.0, images=20_000)]
    (section,) = summary.sections([read_run(make_search(rows=trials, finalists=finalists))])
    (row,) = table(section, "cost").rows
    # 1800 + 900 + 900 seconds; two candidates of 8000 images and a finalist of 20 000; half an hour by the clock.
    assert (row["trainings"], row["worker_hours"], row["images"], row["wall_seconds"]) == (3, 1.0, 36_000, 1800.0)


def test_the_facts_are_those_of_the_manifest(make_search: Any):
    facts = summary.facts_of(read_run(make_search()))
    assert facts["Commit"] == "0123456789ab+changes"
    assert facts["Versions"] == "python 3.11.7, torch 2.10.0"
    assert facts["Machine"] == "host, a processor, Linux"
    assert facts["Cores"] == "4"
    assert facts["Seeds"] == "0 of the run; 7, 8, 9, 10 of its search trainings"
    assert values(facts["Training"].replace("x", ""))[:5] == ["2", "4,000", "28", "0.25", "2"]
    assert "quick" in facts["Training"]


def test_the_command_is_the_manifests_without_the_machines_path(make_search: Any):
    (section,) = summary.sections([read_run(make_search())])
    assert "`python -m nas.search --target-flops 1M --space small`" in texts(section)


def test_runs_stand_side_by_side(make_search: Any):
    (section,) = summary.sections(
        [read_run(make_search("one")), read_run(make_search("two", data={"dataset": "cifar10"}))]
    )
    assert [column.title for column in table(section, "provenance").columns] == ["", "one", "two"]
    data = next(row for row in table(section, "provenance").rows if row["fact"] == "Data")
    assert (data["run0"], data["run1"]) == ("fashion-mnist-mini", "cifar10")
    assert texts(section)[0].startswith("one: ")


def test_what_is_not_there_is_named_with_its_command(make_search: Any, make_scaling: Any):
    (section,) = summary.sections([read_run(make_search()), read_run(make_scaling("grid", GRID))])
    assert len(section.missing) == 1
    assert "python -m scaling.curves" in section.missing[0]

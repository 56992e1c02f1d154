"""The section on alpha, beta, gamma: its numbers, the points left out, and runs that are unfinished or broken."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import search_spaces as ss
from reports.grid.data import conclusions_of, left_out, networks, shares
from reports.grid.section import sections
from reports.grid.words import describe
from reports.page.content import Figure, Section, Table
from reports.reading.runs import Kind, RunData
from scaling.grid.lattice import Lattice
from search_spaces.metrics.compute import compute_all
from search_spaces.resizing.compound import Coefficients
from studies.outcome import Outcome

CONFIG = {
    "data": {"dataset": "tiny"},
    "step": 0.1,
    "tolerance": 0.1,
    "alpha": [1.0, 2.2],
    "beta": [1.0, 1.5],
    "gamma": [1.0, 1.5],
    "choice_seeds": 2,
}


def estimate(value: float, half: float | None = 0.01, n: int = 3) -> dict[str, Any]:
    return {
        "value": value,
        "low": None if half is None else value - half,
        "high": None if half is None else value + half,
        "n": n,
    }


def network(rule: tuple[float, float, float], accuracy: float, equal: bool, *more: tuple[float, ...]) -> dict[str, Any]:
    return {
        "key": str(rule),
        **dict(zip(("alpha", "beta", "gamma"), rule, strict=True)),
        "points": [list(rule), *map(list, more)],
        "depth": rule[0],
        "width": rule[1],
        "resolution": rule[2],
        "cost": 2.0,
        "macs": 2_000_000,
        "accuracy": estimate(accuracy),
        "indistinguishable_from_best": equal,
    }


RESULT: dict[str, Any] = {
    "phi": 1.0,
    "coefficients": {"alpha": 1.2, "beta": 1.1, "gamma": 1.2},
    "realised": {"alpha": 1.25, "beta": 1.08, "gamma": 1.2},
    "networks": [
        network((2.0, 1.0, 1.0), 0.58, False, (1.9, 1.0, 1.0), (2.1, 1.0, 1.0)),
        network((1.2, 1.1, 1.2), 0.63, True),
        network((1.0, 1.4, 1.0), 0.62, True),
    ],
    "range_of_indistinguishable": {"alpha": [1.0, 1.2], "beta": [1.1, 1.4], "gamma": [1.0, 1.2]},
    "law": {
        "optimum": {name: estimate(value, 0.1) for name, value in (("alpha", 1.1), ("beta", 1.2), ("gamma", 1.15))},
        "heldout_error": 0.012,
        "loglinear_error": 0.02,
    },
    "trained_baseline": {"key": "k", "resolution": 16, "accuracy": estimate(0.55)},
    "grid": {"points": 22, "networks": 3, "left_out": {"over the FLOP budget of 2.1M": 17}, "target_macs": 2_000_000},
    "choice": {
        "seeds": [1000, 1001, 1002],
        "validation_accuracy": estimate(0.65, 0.004),
        "test_accuracy": estimate(0.64, 0.004),
        "paper_test_accuracy": estimate(0.63, 0.004),
        "against_paper": {
            "difference": estimate(0.01, 0.02),
            "verdict": "undecided",
            "p_permutation": None,
            "p_equivalence": 0.7,
            "margin": 0.005,
            "comparisons": 1,
        },
        "key": "a",
        "paper_key": "b",
        "paper_excess": "",
    },
}


def run(result: dict[str, Any] | None = None, name: str = "grid", **config: Any) -> RunData:
    return RunData(
        Path("runs") / name, Kind.GRID, CONFIG | config, {"status": "finished"}, {}, result or {}, pd.DataFrame()
    )  # fmt: skip


def only(runs: list[RunData]) -> Section:
    (section,) = sections(runs)
    return section


def words(section: Section) -> str:
    return " ".join(item for item in section.items if isinstance(item, str))


def test_networks_come_best_first_with_their_points() -> None:
    found = networks(run(RESULT))
    assert [one.accuracy.value for one in found] == [0.63, 0.62, 0.58]
    assert [len(one.points) for one in found] == [1, 1, 3]
    assert found[0].seeds == 3


def test_points_without_a_network_are_the_rest_of_the_lattice() -> None:
    """Of the lattice's points every one is in a network or left out, and none in both."""
    own = run(RESULT)
    found = networks(own)
    gone = left_out(own, found)
    taken = [point for one in found for point in one.points]
    assert len(gone) + len(taken) == len(Lattice().points()) == 22
    assert not set(gone) & set(taken)


def test_shares_are_those_of_the_growth_in_cost() -> None:
    assert shares((2.0, 1.0, 1.0)) == (1.0, 0.0, 0.0)
    # 2^(1/3) deeper, 2^(1/6) wider and finer: a third of the doubling each.
    assert shares((2 ** (1 / 3), 2 ** (1 / 6), 2 ** (1 / 6))) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert sum(shares((1.2, 1.1, 1.15))) == pytest.approx(1)


def test_the_text_has_the_conclusions_of_the_run() -> None:
    conclusions = conclusions_of(run(RESULT))
    assert conclusions is not None
    assert (conclusions.equal, conclusions.trained, conclusions.growth) == (2, 3, 2.0)
    assert conclusions.choice.against_paper is not None
    assert conclusions.choice.against_paper.verdict == "undecided"
    text = words(only([run(RESULT)]))
    assert conclusions.describe_coefficients() in text
    assert all(line in text for line in describe(conclusions))


def test_table_has_realised_sizes_and_the_best() -> None:
    section = only([run(RESULT)])
    own = next(item for item in section.items if isinstance(item, Table))
    assert [line["among_the_best"] for line in own.rows] == ["yes", "yes", "no"]
    assert [own.marked(line) for line in own.rows] == [True, False, False]
    assert own.rows[2]["points"] == 3
    assert own.rows[0]["half"] == pytest.approx(0.01)


def test_limited_metrics_are_columns_behind_the_multiply_adds() -> None:
    own = "my_metrics:fives"
    limited = [{**one, "params": 60_365, own: 12} for one in RESULT["networks"]]
    section = only([run({**RESULT, "networks": limited})])
    table = next(item for item in section.items if isinstance(item, Table))
    shown = {column.title: column.show(table.rows[0][column.key]) for column in table.columns}
    assert (shown["FLOPs"], shown["parameters"], shown[own]) == ("2M", "60.36K", "12")


def test_few_seeds_and_no_difference_are_warned_of() -> None:
    equal = {**RESULT, "networks": [network((1.2, 1.1, 1.2), 0.63, True), network((1.0, 1.4, 1.0), 0.62, True)]}
    assert len(only([run(RESULT)]).warnings) == 1  # 3 seeds of the choice
    assert len(only([run(equal)]).warnings) == 2


def test_several_grids_stand_side_by_side() -> None:
    section = only([run(RESULT, "a"), run(RESULT, "b", data={"dataset": "other"})])
    beside = section.items[0]
    assert isinstance(beside, Table)
    assert [(line["run"], line["dataset"], line["found"]) for line in beside.rows] == [
        ("a", "tiny", "1.2/1.1/1.2"),
        ("b", "other", "1.2/1.1/1.2"),
    ]
    names = [item.name for item in section.items if isinstance(item, Figure | Table)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "result",
    [
        {"networks": [{"key": 1}, 3], "law": {"optimum": 3}, "choice": 4},
        {"networks": "none"},
        {**RESULT, "law": None, "choice": None, "grid": None, "realised": 3, "trained_baseline": None},
    ],
)
def test_odd_conclusions_are_no_error(result: dict[str, Any]) -> None:
    own = run(result)
    section = only([own])
    assert section.items or "python -m scaling.grid --config" in section.missing[0]
    assert any("coefficients.json" in note for note in own.notes)


def test_trainings_of_a_running_grid_are_shown_from_its_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    small = ss.get("triaxis_small")
    deep = ss.scale_depth(small, 2)

    def training(arch: ss.Arch, seed: int, accuracy: float, **notes: str) -> SimpleNamespace:
        return SimpleNamespace(
            outcome=Outcome.COMPLETE, key=arch.key, arch=arch.to_json(), seed=seed, accuracy=accuracy, notes=notes,
            proposed_by=notes.get("coefficients", "baseline"), metrics=compute_all(arch),
        )  # fmt: skip

    records = [
        training(small, 0, 0.6),
        *(training(deep, seed, 0.7 + 0.02 * seed, coefficients="2/1/1") for seed in (0, 1)),
    ]
    monkeypatch.setattr(RunData, "records", lambda _, study: records)
    (one,) = networks(run())
    assert (one.coefficients, one.sizes, one.seeds, one.is_equal) == ((2, 1, 1), (2, 1, 1), 2, None)
    assert one.accuracy.value == pytest.approx(0.71)
    section = only([run()])
    assert "2/1/1" in words(section)
    assert "coefficients.json" in section.missing[0]


def test_no_grid_no_section() -> None:
    assert sections([]) == []


def test_networks_own_learning_rates_are_shown_with_their_effect() -> None:
    keys = [one["key"] for one in RESULT["networks"]]
    rates = {
        "recipe": 0.1,
        "factors": [1.0, 0.3, 0.1],
        "chosen": dict(zip(keys, (1.0, 0.3, 0.3), strict=True)),
        "choice": 0.03,
        "paper": 0.1,
        "with_recipe": {
            "coefficients": {"alpha": 2.0, "beta": 1.0, "gamma": 1.0},
            "indistinguishable_from_best": 1,
            "shared": 0,
        },
    }
    own = [one | {"lr": rate} for one, rate in zip(RESULT["networks"], (0.1, 0.03, 0.03), strict=True)]
    section = only([run({**RESULT, "networks": own, "learning_rates": rates})])
    text = words(section)
    assert "0.1 for 1 network, 0.03 for 2 networks, 0.01 for 0 networks" in text
    assert f"{Coefficients(2.0, 1.0, 1.0)} in place of {Coefficients(1.2, 1.1, 1.2)}" in text
    table = next(item for item in section.items if isinstance(item, Table))
    column = next(column for column in table.columns if column.key == "lr")
    assert [column.show(line["lr"]) for line in table.rows] == ["0.03", "0.03", "0.1"]
    plain = next(item for item in only([run(RESULT)]).items if isinstance(item, Table))
    assert "lr" not in {column.key for column in plain.columns} | set(plain.rows[0])

"""The section on scaling curves: its numbers against hand arithmetic, and runs that are unfinished or broken."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import search_spaces as ss
from reports.curves.data import conclusions_of, dots, law_rows, strategies
from reports.curves.section import sections
from reports.page.content import Figure, Section, Table
from reports.reading.runs import Kind, RunData
from search_spaces.metrics.compute import compute_all
from studies.outcome import Outcome

BASE = {
    "macs": 1_000_000,
    "params": 10_000,
    "activations": 5_000,
    "latency_median": 0.002,
    "input_px": 16,
    "layers": 10,
}


def row(curve: str, multiple: float, seed: int, accuracy: float, **more: Any) -> dict[str, Any]:
    shape = {
        "baseline": (1.0, 1.0, 1.0),
        "depth": (multiple, 1.0, 1.0),
        "width": (1.0, math.sqrt(multiple), 1.0),
        "resolution": (1.0, 1.0, math.sqrt(multiple)),
        "compound": (multiple ** (1 / 3), multiple ** (1 / 6), multiple ** (1 / 6)),
    }.get(curve, (1.0, 1.0, 1.0))
    sizes = dict(zip(("depth", "width", "resolution"), shape, strict=True))
    return {
        **BASE,
        "curve": curve,
        "multiple": multiple,
        "upsampled": False,
        "key": f"{curve}-{multiple}",
        **{f"nominal_{name}": value for name, value in sizes.items()},
        **sizes,
        "macs": round(1_000_000 * multiple),
        "seed": seed,
        "test_accuracy": accuracy,
        "seconds": 10.0 * multiple,
        **more,
    }


def rows(gain: float = 0.02) -> list[dict[str, Any]]:
    found = [row("baseline", 1.0, seed, 0.60 + 0.01 * seed) for seed in (0, 1)]
    for multiple in (2.0, 4.0):
        for index, curve in enumerate(("depth", "width", "resolution", "compound")):
            up = gain * math.log2(multiple) * (1 + index / 4)
            found += [row(curve, multiple, seed, 0.60 + up + 0.01 * seed) for seed in (0, 1)]
    return found


def contrast(value: float, low: float | None, high: float | None, verdict: str = "better") -> dict[str, Any]:
    difference = {"value": value, "low": low, "high": high, "n": 6}
    return {
        "difference": difference,
        "verdict": verdict,
        "p_permutation": 0.03,
        "p_equivalence": 0.9,
        "margin": 0.005,
        "comparisons": 3,
    }


RESULT = {
    "compound": "compound",
    "best_single": "resolution",
    "multiple": 4.0,
    "main": {**contrast(0.021, 0.012, 0.03), "comparisons": 1},
    "against_all": {"depth": contrast(0.03, 0.01, 0.05), "width": contrast(-0.02, -0.03, -0.01, "worse")},
    "found_alone": None,
    "found_against_paper": None,
    "accuracy_per_doubling": 0.02,
    "predicted": [{"curve": "depth", "accuracy": 0.64, "predicted": 0.65, "lower": 0.6, "upper": 0.7}],
    "loglinear_error": 0.02,
    "pixels": 32,
}


def run(
    table: list[dict[str, Any]], result: dict[str, Any] | None = None, name: str = "curves", kind: Kind = Kind.CURVES
) -> RunData:
    config = {"data": {"dataset": "tiny"}, "epochs": 2, "images": 320, "recipe": "quick", "multiples": [1, 2, 4]}
    return RunData(Path("runs") / name, kind, config, {"status": "finished"}, {}, result or {}, pd.DataFrame(table))


def only(runs: list[RunData]) -> Section:
    (section,) = sections(runs)
    return section


def table(section: Section, name: str) -> Table:
    return next(item for item in section.items if isinstance(item, Table) and item.name == name)


def figures(section: Section) -> list[str]:
    return [item.name for item in section.items if isinstance(item, Figure)]


def test_means_and_pooled_intervals_are_those_of_hand_arithmetic() -> None:
    found = dots(run(rows()))
    assert len(found) == 9
    # Each network has two seeds 0.01 apart: variance 5e-5 with 9 degrees of freedom; t(0.975, 9) = 2.262157.
    half = 2.262157 * math.sqrt(5e-5 / 2)
    assert found[0].accuracy.value == pytest.approx(0.605)
    assert found[0].accuracy.high - found[0].accuracy.value == pytest.approx(half, rel=1e-5)


def test_every_strategy_starts_at_the_baseline_and_grows() -> None:
    for line in strategies(dots(run(rows()))).values():
        assert line[0].curve == "baseline"
        assert [dot.metrics["macs"] for dot in line] == [1e6, 2e6, 4e6]


def test_equal_cost_table_has_the_run_s_own_contrasts() -> None:
    own = table(only([run(rows(), RESULT)]), "equal-cost")
    by_name = {line["name"]: line for line in own.rows}
    assert list(by_name) == ["baseline", "depth", "width", "resolution", "compound (1.2/1.1/1.15)"]
    assert by_name["depth"]["lead"] == 0.03
    assert (by_name["depth"]["lead_low"], by_name["depth"]["lead_high"]) == (0.01, 0.05)
    assert by_name["depth"]["verdict"] == "compound better"
    assert by_name["width"]["verdict"] == "compound worse"
    assert by_name["compound (1.2/1.1/1.15)"].get("lead") is None
    assert [line["curve"] for line in own.rows if own.marked(line)] == ["compound"]
    assert by_name["depth"]["macs"] == 4_000_000
    shown = {column.key: column.show(by_name["depth"][column.key]) for column in own.columns}
    assert (shown["lead"], shown["macs"], shown["latency"]) == ("+3.0", "4M", "2.00")


def test_the_text_has_the_conclusions_of_the_run() -> None:
    conclusions = conclusions_of(run(rows(), RESULT))
    assert conclusions is not None
    assert conclusions.main is not None
    assert (conclusions.main.verdict, conclusions.main.difference.value) == ("better", 0.021)
    items = only([run(rows(), RESULT)]).items
    lines = [*conclusions.describe_main(), *conclusions.describe_prediction()]
    assert len(lines) == 2
    assert all(line in items for line in lines)


def test_single_dimensions_fall_back_on_the_strategies_and_say_so() -> None:
    section = only([run(rows(), RESULT)])
    drawn = next(item for item in section.items if isinstance(item, Figure) and item.name == "single-dimensions")
    assert "width, depth, resolution" in drawn.caption
    assert "width-curves" not in figures(section)
    assert any("--raw" in line for line in section.missing)


def test_raw_settings_give_the_paper_s_two_figures() -> None:
    raw = [
        row(f"raw width d={d} r={r}", d * w**2 * r**2, seed, 0.6 + 0.02 * w, depth=d, width=w, resolution=r)
        for d, r in ((1, 1), (1, 1.3), (2, 1), (2, 1.3))
        for w in (1.0, 1.4, 1.8)
        for seed in (0, 1)
    ]
    section = only([run(rows() + raw, RESULT)])
    drawn = {item.name: item for item in section.items if isinstance(item, Figure)}
    assert drawn["width-curves"].caption.count("at best") == 4
    assert re.search(r"d = 2\D+1\.3", drawn["width-curves"].caption)
    assert "settings: depth, resolution" in drawn["single-dimensions"].caption
    assert not section.missing


def test_upsampled_networks_are_in_no_law_and_not_compared() -> None:
    given = rows() + [row("odd", 4.0, seed, 0.99, upsampled=True) for seed in (0, 1)]
    found = dots(run(given))
    assert max(one["accuracy"] for one in law_rows(found)) < 0.9
    section = only([run(given, RESULT)])
    line = next(one for one in table(section, "equal-cost").rows if one["name"] == "odd")
    assert line["verdict"] == "upsampled: not compared"
    assert len(section.warnings) == len(only([run(rows(), RESULT)]).warnings) + 1


def test_a_strategy_below_the_baseline_is_warned_of() -> None:
    given = [*rows(), *(row("fast", 4.0, seed, 0.3 + 0.01 * seed) for seed in (0, 1))]
    assert any("fast" in line for line in only([run(given, RESULT)]).warnings)


def test_several_runs_stand_side_by_side() -> None:
    section = only([run(rows(), RESULT, "short"), run(rows(0.03), RESULT, "long")])
    beside = table(section, "side-by-side")
    compound = beside.rows[-1]
    assert compound["accuracy_0"] == pytest.approx(0.605 + 0.02 * 2 * 1.75)
    assert compound["accuracy_1"] == pytest.approx(0.605 + 0.03 * 2 * 1.75)
    names = [item.name for item in section.items if isinstance(item, Figure | Table)]
    assert len(set(names)) == len(names)
    assert {"law-short", "law-long", "equal-cost-short", "equal-cost-long"} <= set(names)
    main = next(item for item in section.items if isinstance(item, Figure))
    assert main.panels == (1, 2)


@pytest.mark.parametrize(
    "result", [{}, {"main": 3, "against_all": [1], "predicted": "x", "compound": None, "pixels": "?"}]
)
def test_missing_or_odd_conclusions_are_no_error(result: dict[str, Any]) -> None:
    section = only([run(rows(), result)])
    assert "accuracy-macs" in figures(section)
    assert bool(result) or any("curves.json" in line for line in section.missing)


def test_a_run_without_curves_is_one_line_that_names_the_command(tmp_path: Path) -> None:
    lost = run([], {}, str(tmp_path))
    section = only([lost])
    assert not section.items
    assert "python -m scaling.curves --config" in section.missing[0]


def test_trainings_of_a_running_study_are_shown_from_its_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    small = ss.get("triaxis_small")
    deep = ss.scale_depth(small, 2)

    def training(arch: ss.Arch, curves: list[str], seed: int, accuracy: float) -> SimpleNamespace:
        return SimpleNamespace(
            outcome=Outcome.COMPLETE, key=arch.key, arch=arch.to_json(), seed=seed, seconds=5.0,
            metrics=compute_all(arch),
            rungs=({"test_accuracy": accuracy},), notes={"curves": curves, "multiple": 2.0},
        )  # fmt: skip

    records = [training(small, ["baseline"], 0, 0.6), training(deep, ["depth", "1:0:0"], 0, 0.7)]
    records += [training(small, ["baseline"], 1, 0.62), training(deep, ["depth", "1:0:0"], 1, 0.7)]
    monkeypatch.setattr(RunData, "records", lambda _, study: records)
    found = {dot.curve: dot for dot in dots(run([]))}
    assert list(found) == ["baseline", "depth", "1:0:0"]
    assert (found["depth"].depth, found["depth"].width) == (2.0, 1.0)
    assert found["baseline"].accuracy.value == pytest.approx(0.61)
    assert found["depth"].metrics["macs"] == ss.cost(deep).macs
    assert math.isnan(found["depth"].latency)


def test_lost_columns_are_noted() -> None:
    cut = run([{"curve": "baseline", "multiple": 1.0}])
    assert not only([cut]).items
    assert "lacks key" in cut.notes[0]


def test_no_run_of_curves_no_section() -> None:
    assert sections([]) == []
    assert sections([run([], kind=Kind.SEARCH)]) == []


def test_the_paper_s_leads_are_differences_of_its_accuracies() -> None:
    own = table(only([run(rows(), RESULT)]), "paper-equal-cost")
    leads = {(one["network"], one["scaling"]): one["lead"] for one in own.rows}
    assert leads["EfficientNet-B0", "width"] == pytest.approx(0.811 - 0.789)
    assert leads["MobileNetV2", "depth"] == pytest.approx(0.774 - 0.768)
    assert leads["ResNet-50", "baseline"] is None


def test_networks_own_learning_rates_are_shown_with_their_effect() -> None:
    keys = dict.fromkeys(line["key"] for line in rows())
    rates = {
        "recipe": 0.1,
        "factors": [1.0, 0.3],
        "chosen": {key: 0.3 if key.startswith("depth") else 1.0 for key in keys},
        "with_recipe": {"verdict": "undecided", "best_single": "width", "verdicts": {"depth": "better"}},
    }
    own = [{**line, "lr": 0.1 * rates["chosen"][line["key"]]} for line in rows()]  # type: ignore[index]
    section = only([run(own, {**RESULT, "learning_rates": rates})])
    text = " ".join(item for item in section.items if isinstance(item, str))
    assert "0.1 for 7 networks, 0.03 for 2 networks" in text
    assert "undecided against width in place of better against resolution" in text
    for name in ("equal-cost", "networks"):
        shown = table(section, name)
        column = next(column for column in shown.columns if column.key == "lr")
        values = {line["curve"]: column.show(line["lr"]) for line in shown.rows}
        assert {curve: values[curve] for curve in ("depth", "width")} == {"depth": "0.03", "width": "0.1"}
        plain = table(only([run(rows(), RESULT)]), name)
        assert "lr" not in {column.key for column in plain.columns} | set(plain.rows[0])

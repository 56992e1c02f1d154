"""The section on the family and the world: costs against the papers', and never two data sets on one axis."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import search_spaces as ss
from reports.family.data import convolutions, families
from reports.family.section import sections
from reports.page.content import Figure, Section, Table
from reports.reading.runs import Kind, RunData
from scaling.coefficients_file import Found
from search_spaces.resizing.compound import PAPER, Coefficients
from search_spaces.resizing.rounding import Rounding
from tests.texts import values


def grid(folder: Path, rule: Coefficients = PAPER, **more: Any) -> RunData:
    """A finished grid over EfficientNet-B0."""
    folder.mkdir(parents=True, exist_ok=True)
    choice = {"test_accuracy": {"value": 0.64, "low": 0.63, "high": 0.65, "n": 3}}
    text = Found(rule, ss.get("efficientnet_b0"), Rounding(), {"choice": choice, **more}).to_json()
    (folder / "coefficients.json").write_text(text)
    (folder / "choice.json").write_text(ss.get("mobilenet_v2").to_json())
    config = {"data": {"dataset": "tiny"}, "batch_size": 64, "choice_seeds": 3}
    return RunData(folder, Kind.GRID, config, {}, {}, json.loads(text), pd.DataFrame())


def search(folder: Path) -> RunData:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "best.json").write_text(ss.get("mobilenet_v2").to_json())
    return RunData(folder, Kind.SEARCH, {"target_flops": "300M"}, {}, {}, {}, pd.DataFrame())


def only(runs: list[RunData]) -> Section:
    (section,) = sections(runs)
    return section


def table(section: Section, name: str) -> Table:
    return next(item for item in section.items if isinstance(item, Table) and item.name == name)


def test_the_family_is_phi_0_to_7_with_nominal_and_realised_growth(tmp_path: Path) -> None:
    rows = table(only([grid(tmp_path / "g")]), "family").rows
    assert [row["phi"] for row in rows] == list(range(8))
    assert rows[0]["macs"] == 385_814_752
    assert rows[3]["nominal_depth"] == pytest.approx(1.2**3)
    # Layers are rounded up in every stage, so that the real network is dearer than the rule says.
    assert rows[1]["nominal_cost"] == pytest.approx(1.2 * 1.1**2 * 1.15**2)
    assert rows[1]["cost"] == pytest.approx(rows[1]["macs"] / 385_814_752)


def test_depths_stand_beside_efficientnet_s(tmp_path: Path) -> None:
    rows = table(only([grid(tmp_path / "g")]), "depth").rows
    assert [row["theirs"] for row in rows] == [f"B{index}" for index in range(8)]
    # Blocks of the published tables: B0 has 1 + 2 + 2 + 3 + 3 + 4 + 1 = 16, B7 has 55.
    assert (rows[0]["their_layers"], rows[7]["their_layers"]) == (16, 55)
    assert rows[0]["layers"] == 16
    assert rows[7]["their_params"] == 66_347_960


def test_convolutions_of_b0_are_counted_by_hand() -> None:
    # Stem, head, classifier; 15 blocks of 3 convolutions and one of 2 (expansion 1); 16 squeeze-and-excitations of 2.
    assert convolutions(ss.get("efficientnet_b0")) == 3 + 15 * 3 + 2 + 16 * 2


def test_a_family_that_grows_too_far_ends_and_names_the_limit(tmp_path: Path) -> None:
    """2 * 1.5^2 * 1.5^2 is 10.1 times the cost per phi: 10.1^3 is below 4096, 10.1^4 above."""
    section = only([grid(tmp_path / "g", Coefficients(2.0, 1.5, 1.5))])
    assert len(table(section, "family").rows) == 4
    assert values(str(section.items[0]))[-2:] == ["4", "4096"]


def test_without_a_grid_the_paper_s_coefficients_are_taken_and_named(tmp_path: Path) -> None:
    section = only([search(tmp_path / "s")])
    assert f" {PAPER}" in section.items[0]
    assert any("python -m scaling.grid" in line for line in section.missing)
    (family,) = families([search(tmp_path / "s")], ["s"])
    assert not family.is_own


def test_each_data_set_has_a_row_of_its_own_below_imagenet(tmp_path: Path) -> None:
    section = only([grid(tmp_path / "g")])
    world = next(item for item in section.items if isinstance(item, Figure))
    assert world.panels == (2, 2)
    assert values(world.caption) == ["64.0"]
    alone = only([search(tmp_path / "s")])
    assert next(item for item in alone.items if isinstance(item, Figure)).panels == (1, 2)


def test_runs_of_curves_on_the_same_images_are_not_mixed(tmp_path: Path) -> None:
    def curves(name: str, dataset: str) -> RunData:
        row = {"curve": "baseline", "multiple": 1.0, "key": "k", "depth": 1.0, "width": 1.0, "resolution": 1.0}
        table = pd.DataFrame(
            [{**row, "macs": 1e6, "params": 1e4, "seed": seed, "test_accuracy": 0.6} for seed in (0, 1)]
        )
        return RunData(
            tmp_path / name, Kind.CURVES, {"data": {"dataset": dataset}, "multiples": [1]}, {}, {}, {}, table
        )

    section = only([curves("a", "tiny"), curves("b", "tiny"), grid(tmp_path / "g")])
    world = next(item for item in section.items if isinstance(item, Figure))
    assert world.panels == (3, 2)
    assert re.findall(r"tiny (\(\w\)): ([\d.]+)", world.caption) == [("(a)", "60.0"), ("(b)", "60.0")]


def test_published_networks_name_their_sources(tmp_path: Path) -> None:
    rows = table(only([search(tmp_path / "s")]), "published").rows
    assert len(rows) == 15
    assert all(row["source"] for row in rows)


def test_a_broken_coefficients_file_leaves_the_paper_s(tmp_path: Path) -> None:
    broken = grid(tmp_path / "g")
    (tmp_path / "g" / "coefficients.json").write_text("{")
    section = only([broken])
    assert f" {PAPER}" in section.items[0]
    assert broken.notes
    (tmp_path / "g" / "choice.json").unlink()
    assert only([broken])


def test_no_run_no_section() -> None:
    assert sections([]) == []

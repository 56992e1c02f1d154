"""The section with class activation maps: which networks are shown, what stands over the images, what is missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure as Canvas
from PIL import Image

import search_spaces as ss
from reports.maps.cam import ActivationMap
from reports.maps.figures import MapRow, class_maps, short_name, verdict
from reports.maps.section import chosen, sections
from reports.page.content import Figure, Table
from reports.page.render import render
from reports.reading.runs import Kind, RunData
from search_spaces.networks.module import build
from studies.trainer.checkpoint import save_weights
from tests.own_code import write_modules

ARCH = ss.get("triaxis_small").replace(classes=10, resolution=16)
CONFIG = {"data": {"dataset": "fashion-mnist-mini", "root": "data"}, "seed": 0, "multiples": [2]}


def point(curve: str, multiple: float, **changes: Any) -> dict[str, Any]:
    weights = f"weights/{curve}-{multiple:g}.safetensors"
    row = {"curve": curve, "multiple": multiple, "is_raw": False, "weights": weights, "seed": 0, "test_accuracy": 0.8}
    return row | changes


def run_of(folder: Path, rows: list[dict[str, Any]], **config: Any) -> RunData:
    return RunData(folder, Kind.CURVES, CONFIG | config, {}, {"curves": pd.DataFrame()}, {}, pd.DataFrame(rows), [])


def keep(folder: Path, *names: str, classes: int = 10) -> None:
    """Untrained weights stand for trained ones."""
    (folder / "weights").mkdir(exist_ok=True)
    arch = ARCH.replace(classes=classes)
    for name in names:
        torch.manual_seed(0)
        save_weights(build(arch), arch, folder / f"weights/{name}.safetensors")


def test_networks_are_compared_at_the_largest_multiple_most_curves_have(tmp_path: Path):
    (tmp_path / "weights").mkdir()
    for name in ("baseline-1", "depth-2", "width-2", "depth-4", "width-4", "depth-8"):
        (tmp_path / f"weights/{name}.safetensors").touch()
    rows = [point("baseline", 1), point("baseline", 1, seed=1, test_accuracy=0.9)]
    rows += [point(curve, multiple) for multiple in (2, 4, 8) for curve in ("depth", "width", "resolution")]
    rows += [point("depth", 4, is_raw=True, weights="weights/depth-8.safetensors")]
    members = chosen(run_of(tmp_path, rows))
    assert [(member.curve, member.multiple) for member in members] == [("baseline", 1), ("depth", 4), ("width", 4)]
    assert members[0].accuracy == pytest.approx(0.85)
    assert members[1].weights.name == "depth-4.safetensors"


def test_the_section_shows_every_network_on_the_same_images(tmp_path: Path):
    keep(tmp_path, "baseline-1", "compound-2")
    (section,) = sections([run_of(tmp_path, [point("baseline", 1), point("compound", 2)])])
    figure = next(item for item in section.items if isinstance(item, Figure))
    table = next(item for item in section.items if isinstance(item, Table))
    assert figure.panels == (3, 6)
    assert render(figure, "cam").png.startswith(b"\x89PNG")
    assert [row["network"] for row in table.rows] == ["baseline", "compound (1.2/1.1/1.15)"]
    assert not section.missing
    # The same weights say the same of the same images.
    said = [[row[f"image_{place}"] for place in range(1, 7)] for row in table.rows]
    assert said[0] == said[1]


def test_an_image_folder_is_found_where_the_run_was_started(tmp_path: Path):
    for part, name in product(("train", "val"), ("cat", "dog")):
        for number in range(3):
            file = tmp_path / f"pets/{part}/{name}/{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20, 20), (number * 80, 10, 200)).save(file)
    keep(tmp_path, "baseline-1", classes=2)
    run = run_of(tmp_path, [point("baseline", 1)], data={"dataset": "imagefolder:pets"})
    assert sections([run])[0].missing
    (section,) = sections([replace(run, manifest={"sessions": [{"folder": str(tmp_path)}]})])
    figure = next(item for item in section.items if isinstance(item, Figure))
    assert figure.panels == (2, 2)


def test_an_own_data_set_is_found_in_the_folders_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_modules(tmp_path, "own_maps_")
    keep(tmp_path, "baseline-1", classes=2)
    monkeypatch.setattr(sys, "path", list(sys.path))
    data, code = {"dataset": "own_maps_images:load"}, {"code": [str(tmp_path / "gone"), str(tmp_path)]}
    (section,) = sections([run_of(tmp_path, [point("baseline", 1)], data=data, workers=code)])
    assert not section.missing
    assert next(item for item in section.items if isinstance(item, Figure)).panels == (2, 2)


@pytest.mark.parametrize(
    ("rows", "config", "named"),
    [
        ([], {}, "networks"),
        ([{"curve": "depth", "multiple": 2}], {}, "networks"),
        ([point("depth", 2)], {}, "weights"),
        ([point("depth", 2, weights=None)], {}, "weights"),
        ([point("baseline", 1)], {"data": {"dataset": "cifar10", "root": "nowhere"}}, "nowhere"),
        ([point("baseline", 1)], {"data": {"dataset": "imagefolder:nowhere"}}, "nowhere"),
        ([point("baseline", 1)], {"data": {"dataset": "not_there_at_all:load"}}, "module not_there_at_all"),
        ([point("broken", 1)], {}, "broken-1.safetensors"),
        ([point("seven", 1)], {}, "7 classes"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, rows: list[dict[str, Any]], config: dict[str, Any], named: str):
    keep(tmp_path, "baseline-1", "broken-1")
    keep(tmp_path, "seven-1", classes=7)
    (tmp_path / "weights/broken-1.safetensors").write_bytes(b"nothing")
    (section,) = sections([run_of(tmp_path, rows, **config)])
    (line,) = section.missing
    assert named in line
    assert "python -m scaling.curves" in line
    assert not section.items


def test_no_curves_no_section():
    assert sections([]) == []


def test_every_panel_says_in_words_whether_the_network_is_right():
    grid = Canvas().subplots(2, 2, squeeze=False)
    pictures = np.zeros((2, 8, 8, 3))
    maps = [ActivationMap(np.eye(2), "cat"), ActivationMap(np.eye(2), "cat")]
    class_maps(pictures, ["cat", "dog"], [MapRow("width x4", maps)], list(grid.ravel()))
    assert [ax.get_title() for ax in grid.ravel()] == ["cat", "dog", "right", "wrong: cat"]
    assert grid[1, 0].get_ylabel() == "width\nx4"
    # The picture in grey and the map over it.
    assert len(grid[1, 0].images) == 2
    assert grid[1, 0].images[1].get_array().shape == (8, 8)


def test_long_names_are_cut_and_dollars_are_no_formulas():
    assert short_name("a very long class name") == "a very long c…"
    assert short_name("$x$") == r"\$x\$"
    assert verdict("a very long class name", "a very long class nome") == "wrong: a very long c…"

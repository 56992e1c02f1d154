"""The paper's scaled networks beside ours: its figures, our costs, what may explain a difference."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

import search_spaces as ss
from scaling.published.__main__ import main
from scaling.published.costs import Realised, explain, realise
from scaling.published.efficientnet import COMPOUND, ROWS, PublishedScaling
from search_spaces.common import cli
from search_spaces.resizing.compound import Multipliers, scale
from search_spaces.zoo.registry import find as find_arch
from tests.texts import values

TABLES = Path(__file__).parents[1] / "data" / "scaled_networks.csv"
FOUND = [realise(row) for row in ROWS]


def find(baseline: str, multipliers: Multipliers) -> Realised:
    (one,) = (one for one in FOUND if (one.row.baseline, one.row.multipliers) == (baseline, multipliers))
    return one


def note(one: Realised) -> str:
    return explain(one, [other for other in FOUND if other.row.table == one.row.table])


def test_the_rows_are_the_paper_s() -> None:
    with TABLES.open() as file:
        lines = [line for line in csv.DictReader(file) if "1905.11946 Table" in line["source"]]
    assert len(lines) == len(ROWS)
    for line, row in zip(lines, ROWS, strict=True):
        assert (line["baseline"], int(line["macs_m"]), float(line["imagenet_top1"])) == (
            row.baseline,
            row.macs // 1_000_000,
            row.top1,
        )
        assert f"Table {row.table}" in line["source"]
        assert row.stated == bool(line["depth"])
        if row.stated:
            given = (line["depth"], line["width"], line["resolution_multiplier"])
            assert row.multipliers == Multipliers(*map(float, given))


@pytest.mark.parametrize("one", FOUND, ids=lambda one: one.label)
def test_ours_are_the_scaled_baselines(one: Realised) -> None:
    asked = one.row.multipliers
    arch = scale(ss.get(one.row.baseline), depth=asked.depth, width=asked.width, resolution=asked.resolution)
    assert one.arch == arch
    assert one.macs == ss.cost(arch).macs
    assert one.difference == pytest.approx(one.macs / one.row.macs - 1)


# The linear layer alone does not grow with the resolution: 2048 * 1000 weights of ResNet-50's 4 089 184 256.
def test_twice_the_resolution_by_hand() -> None:
    assert find("resnet50", Multipliers(resolution=2)).macs == 4 * (4_089_184_256 - 2_048_000) + 2_048_000


def test_what_agrees_to_the_printed_digit_has_no_note() -> None:
    agreeing = [one.label for one in FOUND if one.agrees]
    assert agreeing == [
        "mobilenet_v1",
        "mobilenet_v1 w=2",
        "mobilenet_v2",
        "mobilenet_v2 d=4",
        "mobilenet_v2 w=2",
        "mobilenet_v2 r=2",
        "resnet50",
        "resnet50 r=2",
        "efficientnet_b0",
        "efficientnet_b0 d=1.4 w=1.2 r=1.3",
    ]
    assert [bool(note(one)) for one in FOUND] == [not one.agrees for one in FOUND]


def test_resnet_s_depth_and_width_are_each_other_s_figures() -> None:
    depth, width = (find("resnet50", Multipliers(**{name: value})) for name, value in (("depth", 4), ("width", 2)))
    assert abs(depth.difference) > 0.09
    assert abs(width.difference) > 0.09
    assert depth.macs / 14.7e9 == pytest.approx(1, abs=0.01)
    assert width.macs / 16.2e9 == pytest.approx(1, abs=0.01)
    assert "resnet50 w=2" in note(depth)
    assert "resnet50 d=4" in note(width)
    assert not any("resnet50" in note(one) for one in FOUND if one not in (depth, width))


def test_b0_s_printed_figures_belong_to_larger_multipliers() -> None:
    side = find("efficientnet_b0", Multipliers(resolution=2))
    # The baseline that the printed figure needs, B0's own cost, and the resolution of the printed figure.
    assert values(note(side))[-3:] == ["475", "385.8", "2.2"]
    # 1.9 / 0.386 is 4.92, of which 2.2 is the root.
    grown = scale(ss.get("efficientnet_b0"), resolution=2.2)
    assert ss.cost(grown).macs / 1.9e9 == pytest.approx(1, abs=0.02)


def test_other_roundings_of_a_compound_row() -> None:
    one = find("mobilenet_v1", COMPOUND)
    assert one.arch.resolution == 292
    whole = ss.cost(one.arch.replace(resolution=288)).macs
    assert re.search(r"288 px.* 2\.24G", note(one))
    assert round(whole / 1e7) == 224
    assert re.search(r"layers.* 2\.18G", note(one))
    assert "multipliers" not in note(one)
    assert "multipliers" in note(find("resnet50", COMPOUND))


def test_other_roundings_are_told_where_they_come_nearer() -> None:
    # 1.44G for 1.3G: 1.28G is nearer, 1.12G is not.
    assert "layers" not in note(find("mobilenet_v2", COMPOUND))
    assert values(note(find("mobilenet_v2", COMPOUND)))[-2:] == ["288", "1.28"]
    # 15.86G for 16.7G: 14.1G and 14.4G are further away.
    assert not {"nearest", "288"} & set(note(find("resnet50", COMPOUND)).split())


@pytest.mark.parametrize("name", ["depth", "width", "resolution"])
def test_what_the_unexplained_row_would_take(name: str) -> None:
    one = find("resnet50", COMPOUND)
    found = re.search(rf"\b{name[0]} = ([0-9.]+)", note(one))
    assert found
    asked = {other: getattr(COMPOUND, other) for other in ("depth", "width", "resolution")}
    misses = {
        place / 100: abs(ss.cost(scale(ss.get("resnet50"), **asked | {name: place / 100})).macs / 16.7e9 - 1)
        for place in range(120, 180)
    }
    assert float(found[1]) > asked[name]
    assert misses[float(found[1])] == min(misses.values()) < 0.025


def test_one_unit_of_the_digit_is_said() -> None:
    row = PublishedScaling(3, "mobilenet_v2", Multipliers(), 400_000_000, 72.0)
    assert explain(realise(row), ()) == "one unit of the printed digit"


def test_the_command_prints_both_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(main, []) == 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert ["resnet50", "4", "1", "1", "224", "89.82M", "14.57G", "16.2G", "-10.1%", "78.1", "[4]"] in lines
    assert ["efficientnet_b0", "1.4", "1.2", "1.3", "292", "12.23M", "1.8G", "1.8G", "+0.0%", "81.1"] in lines
    assert max(map(len, out.splitlines())) <= 120


def test_one_table_is_as_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(main, ["--tables", "7"]) == 0
    assert capsys.readouterr().out == Path(__file__).with_name("table7.txt").read_text()


def test_v2_beside_the_published_networks(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(main, ["--tables", "v2"]) == 0
    out = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    # V2, Table 4, and the published counts.
    assert "published 480 3 5 5 7 14 18 5 24 24 48 80 160 176 304 512 1280 54.14M 24.58G" in lines
    assert "published 480 4 7 7 10 19 25 7 32 32 64 96 192 224 384 640 1280 118.5M 56.08G" in lines
    assert sum(line.startswith("v2 480 ") for line in lines) == 2
    assert max(map(len, out.splitlines())) <= 120


def test_networks_are_written_as_files_that_can_be_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "networks"
    assert cli.run(main, ["--tables", "3", "7", "--out", str(out)]) == 0
    assert "resnet50-d4.json" in capsys.readouterr().out
    assert len(list(out.iterdir())) == len(ROWS)
    for one in FOUND:
        asked = one.row.multipliers
        grown = {"d": asked.depth, "w": asked.width, "r": asked.resolution}
        name = one.row.baseline + "".join(f"-{letter}{value:g}" for letter, value in grown.items() if value != 1)
        arch = find_arch(str(out / f"{name}.json"))
        assert arch.name == name
        assert ss.cost(arch).macs == one.macs
        assert arch.resolution == one.arch.resolution
    # ResNet-50's 3, 4, 6 and 3 blocks, four times.
    assert [stage.layers for stage in ss.Arch.load(out / "resnet50-d4.json").stages] == [12, 16, 24, 12]


def test_v2_s_networks_are_written_too(tmp_path: Path) -> None:
    assert cli.run(main, ["--tables", "v2", "--out", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"efficientnetv2_{size}-{strategy}.json" for size in "ml" for strategy in ("v2", "compound")}
    grown = ss.cost(ss.Arch.load(tmp_path / "efficientnetv2_m-v2.json")).macs
    assert grown == pytest.approx(ss.cost(ss.get("efficientnetv2_m")).macs, rel=0.01)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert cli.run(main, ["--tables", "7", "--out", str(tmp_path / "file")]) == 2
    shown = capsys.readouterr()
    assert str(tmp_path / "file") in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not shown.out
    assert (tmp_path / "file").read_text() == "mine"


def test_an_unknown_table_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(main, ["--tables", "3", "4"]) == 2
    error = capsys.readouterr().err
    assert "--tables" in error
    assert len(error.splitlines()) == 1


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys, scaling.published.__main__ as p\n"
        "try: p.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'ray', 'scipy', 'pandas', 'optuna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

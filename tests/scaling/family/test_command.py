"""The command that writes a family: its networks, figures and table, and what it refuses."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

import search_spaces as ss
from scaling.coefficients_file import Found
from scaling.family.__main__ import main
from search_spaces.common import cli
from search_spaces.metrics.memory import inference_memory, training_memory
from search_spaces.resizing.compound import PAPER, Coefficients, scale
from search_spaces.resizing.depths import LATE
from search_spaces.resizing.matching import TOLERANCE
from search_spaces.resizing.rounding import Rounding
from search_spaces.resizing.stages import scale_width


@pytest.fixture
def coefficients(tmp_path: Path) -> Path:
    path = tmp_path / "coefficients.json"
    path.write_text(Found(Coefficients(1.3, 1.1, 1.1), ss.get("mobilenet_v2"), Rounding(4, 1)).to_json())
    return path


def run(folder: Path, *words: str | Path) -> int:
    return cli.run(main, [*map(str, words), "--out", str(folder)])


def test_networks_are_the_scaled_ones_under_their_names(tmp_path: Path, coefficients: Path) -> None:
    out = tmp_path / "family"
    assert run(out, "--coefficients", coefficients, "--phi", "0", "0.5", "1") == 0
    for phi in (0, 0.5, 1):
        arch = ss.Arch.load(out / f"phi-{phi}.json")
        expected = scale(ss.get("mobilenet_v2"), Coefficients(1.3, 1.1, 1.1), phi, divisor=4, step=1)
        assert arch == expected.replace(name=f"family-phi-{phi}")
        assert f"{ss.cost(arch).macs:,}" in (out / f"phi-{phi}.txt").read_text()
    assert {path.name for path in out.iterdir()} == {
        *(f"phi-{phi}.{ending}" for phi in ("0", "0.5", "1") for ending in ("json", "txt")),
        "family.csv",
        "family.json",
    }


def test_v2_caps_the_images_and_deepens_late_stages(tmp_path: Path) -> None:
    out = tmp_path / "family"
    words = ("--coefficients", "paper", "--baseline", "efficientnetv2_s", "--strategy", "v2:420", "--phi", "2")
    assert run(out, *words) == 0
    arch = ss.Arch.load(out / "phi-2.json")
    expected = scale(ss.get("efficientnetv2_s"), PAPER, 2, cap=420, depth_weights=LATE)
    assert arch == expected.replace(name="family-phi-2")
    assert run(out, *words, "--equal-cost") == 0
    equal = ss.Arch.load(out / "phi-2.json")
    assert arch.resolution == equal.resolution == 420
    assert ss.cost(equal).macs / ss.cost(ss.get("efficientnetv2_s")).macs == pytest.approx(4, rel=TOLERANCE)


def test_the_published_v2_base_networks_round_below_ninety_percent(tmp_path: Path) -> None:
    # B3: depth 1.4, width 1.2, 300 px of 224. Its first stage has 16 of the 19.2 channels that are asked.
    words = ("--coefficients", f"1.4,1.2,{300 / 224}", "--baseline", "efficientnetv2_b0", "--phi", "1")
    assert run(tmp_path / "family", *words, "--rounding.min-ratio", "0") == 0
    arch = ss.Arch.load(tmp_path / "family" / "phi-1.json")
    # timm's and Keras' counts of EfficientNetV2-B3.
    assert (ss.cost(arch).params, ss.cost(arch).macs) == (14_358_406, 3_011_458_816)
    assert arch.replace(name="") == ss.get("efficientnetv2_b3").replace(name="")
    assert run(tmp_path / "family", *words) == 0
    assert ss.Arch.load(tmp_path / "family" / "phi-1.json").stages[0].channels == 24


def test_depth_weights_say_which_stages_deepen(tmp_path: Path) -> None:
    words = ("--coefficients", "1.5,1,1", "--baseline", "efficientnet_b0", "--phi", "1")
    assert run(tmp_path / "f", *words, "--depth-weights", "0", "0", "0", "0", "0", "1", "2") == 0
    # 16 layers come to 24, 8 more: n * (1 + weight * rate) has 4 * rate + 1 * 2 * rate = 8, so rate = 4/3, and stages
    # 6 and 7 get 9.33 and 3.67 of their 4 and 1 layers, rounded up.
    arch = ss.Arch.load(tmp_path / "f" / "phi-1.json")
    assert [stage.layers for stage in arch.stages] == [1, 2, 2, 3, 3, 10, 4]
    assert json.loads((tmp_path / "f" / "family.json").read_text())["depth_weights"] == [0, 0, 0, 0, 0, 1, 2]


def test_depth_weights_hold_at_equal_cost_and_under_a_cap(tmp_path: Path) -> None:
    words = ("--coefficients", "paper", "--strategy", "v2:240", "--equal-cost", "--phi", "2")
    assert run(tmp_path / "f", *words, "--depth-weights", "1", "0", "0", "0", "0", "0", "0") == 0
    arch, base = ss.Arch.load(tmp_path / "f" / "phi-2.json"), ss.get("efficientnet_b0")
    grown = [now.layers - old.layers for now, old in zip(arch.stages, base.stages, strict=True)]
    # What is spread alone decides; single layers may be added to meet the cost.
    assert grown[0] == max(grown) > 4
    assert arch.resolution <= 240
    assert ss.cost(arch).macs / ss.cost(base).macs == pytest.approx(4, rel=TOLERANCE)


def test_equal_depth_weights_are_compound_scaling(tmp_path: Path) -> None:
    words = ("--coefficients", "paper", "--phi", "2", "--depth-weights", *["3"] * 7)
    assert run(tmp_path / "f", *words) == 0
    expected = scale(ss.get("efficientnet_b0"), PAPER, 2)
    assert ss.Arch.load(tmp_path / "f" / "phi-2.json") == expected.replace(name="family-phi-2")


def test_a_cap_at_the_baseline_s_own_resolution_keeps_it(tmp_path: Path) -> None:
    words = ("--coefficients", "paper", "--strategy", "v2:160", "--resolution", "160", "--phi", "0", "2")
    assert run(tmp_path / "family", *words) == 0
    assert [ss.Arch.load(tmp_path / "family" / f"phi-{phi}.json").resolution for phi in (0, 2)] == [160, 160]


@pytest.mark.usefixtures("outside")
def test_of_a_users_strategy_the_depth_weights_count(tmp_path: Path) -> None:
    words = ("--coefficients", "paper", "--strategy", "outside_scaling:deep", "--phi", "2")
    assert run(tmp_path / "f", *words) == 0
    expected = scale(ss.get("efficientnet_b0"), PAPER, 2, depth_weights=(0.5, 1, 1))
    assert ss.Arch.load(tmp_path / "f" / "phi-2.json") == expected.replace(name="family-phi-2")


def test_a_family_has_no_other_strategy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "family", "--coefficients", "paper", "--strategy", "width") == 2
    assert "--strategy" in capsys.readouterr().err


def test_figures_of_the_paper_s_family(tmp_path: Path) -> None:
    assert run(tmp_path / "f", "--coefficients", "paper", "--phi", "0", "1", "--batch-size", "8") == 0
    with (tmp_path / "f" / "family.csv").open() as file:
        zero, one = csv.DictReader(file)
    b0 = ss.get("efficientnet_b0")
    assert (zero["macs"], zero["cost"], zero["nominal_cost"]) == ("385814752", "1.0", "1.0")
    assert zero["key"] == b0.key
    assert [float(one[f"nominal_{name}"]) for name in ("depth", "width", "resolution")] == [1.2, 1.1, 1.15]
    assert float(one["nominal_cost"]) == pytest.approx(1.92, abs=0.001)
    assert float(one["depth"]) == 23 / 16  # 2 3 3 4 4 5 2 layers over 1 2 2 3 3 4 1
    assert float(one["resolution"]) == 258 / 224
    assert float(one["cost"]) == int(one["macs"]) / 385814752
    arch = ss.Arch.load(tmp_path / "f" / one["file"])
    assert int(one["training_bytes"]) == training_memory(arch, 8).total
    assert int(one["inference_bytes"]) == inference_memory(arch, 1).total
    # EN: 0.2 for B0 to 0.5 for B7, of 2^6.6 times its cost.
    assert float(zero["dropout"]) == 0.2
    assert float(one["dropout"]) == pytest.approx(0.2 + 0.3 * math.log2(float(one["cost"])) / 6.6, abs=1e-3)
    index = json.loads((tmp_path / "f" / "family.json").read_text())
    assert [row["macs"] for row in index["members"]] == [385814752, int(one["macs"])]
    assert index["origin"]["coefficients"] == {"alpha": 1.2, "beta": 1.1, "gamma": 1.15}


def test_the_text_is_as_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "f", "--coefficients", "paper", "--phi", "0", "1") == 0
    text = capsys.readouterr().out.replace(str(tmp_path / "f"), "runs/family")
    assert text == Path(__file__).with_name("family.txt").read_text()
    assert max(map(len, text.splitlines())) <= 130


def test_equal_costs_are_powers_of_two(tmp_path: Path, coefficients: Path) -> None:
    words = ("--coefficients", coefficients, "--baseline", "mnasnet_a1", "--equal-cost", "--phi", "0", "1", "2", "3")
    assert run(tmp_path / "f", *words) == 0
    base = ss.cost(ss.get("mnasnet_a1")).macs
    for phi in range(4):
        arch = ss.Arch.load(tmp_path / "f" / f"phi-{phi}.json")
        assert abs(ss.cost(arch).macs / (2**phi * base) - 1) <= TOLERANCE
    assert ss.Arch.load(tmp_path / "f" / "phi-0.json").key == ss.get("mnasnet_a1").key


def test_members_beyond_the_memory_are_marked_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limit = training_memory(ss.get("efficientnet_b0"), 16).total
    words = ("--coefficients", "paper", "--phi", "0", "1", "--batch-size", "16", "--max-memory", f"{limit}B")
    assert run(tmp_path / "f", *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not next(line for line in lines if line.startswith("  0 ")).endswith("fits")
    batch = int(next(line for line in lines if line.startswith("  1 ")).split()[-2])
    arch = ss.Arch.load(tmp_path / "f" / "phi-1.json")
    assert training_memory(arch, batch).total <= limit < training_memory(arch, batch + 1).total


def test_flags_win_over_what_the_file_says(tmp_path: Path, coefficients: Path) -> None:
    words = ("--coefficients", coefficients, "--resolution", "96", "--rounding.divisor", "16", "--phi", "1")
    assert run(tmp_path / "f", *words) == 0
    arch = ss.Arch.load(tmp_path / "f" / "phi-1.json")
    assert arch.resolution == 106  # 105.6; the step of 1 px is the file's
    assert arch.stem == scale_width(ss.get("mobilenet_v2"), 1.1, 16).stem == 32


def test_small_baselines_get_a_rounding_of_their_own(tmp_path: Path) -> None:
    words = ("--coefficients", "1,1,1.5", "--baseline", "mobilenet_v2", "--resolution", "32", "--phi", "1")
    assert run(tmp_path / "f", *words) == 0
    assert ss.Arch.load(tmp_path / "f" / "phi-1.json").resolution == 64  # 48, halfway between multiples of 32
    assert json.loads((tmp_path / "f" / "family.json").read_text())["origin"]["rounding"] == {
        "divisor": 8,
        "step": 32,
        "min_ratio": 0.9,
    }


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "--coefficients"),
        (["--coefficients", "papr"], "--coefficients"),
        (["--coefficients", "1.2,1.1"], "'1.2,1.1'"),
        (["--coefficients", "none.json"], "none.json"),
        (["--coefficients", "1.2,1.1,1.15"], "--baseline"),
        (["--coefficients", "0.9,1.1,1.15", "--baseline", "mnasnet_a1"], "alpha"),
        (["--coefficients", "paper", "--baseline", "mnasnet_a2"], "'mnasnet_a1'"),
        (["--coefficients", "paper", "--phi", "-1"], "--phi"),
        (["--coefficients", "paper", "--phi", "nan"], "--phi"),
        (["--coefficients", "paper", "--phi", "1", "2", "1.0"], "--phi"),
        (["--coefficients", "paper", "--phi", "100"], "phi 100"),
        (["--coefficients", "paper", "--phi", "1e6"], "phi 1e+06"),
        (["--coefficients", "paper", "--equal-cost", "--phi", "13"], "phi 13"),
        (["--coefficients", "paper", "--batch-size", "0"], "--batch-size"),
        (["--coefficients", "paper", "--max-memory", "8G"], "--max-memory"),
        (["--coefficients", "paper", "--resolution", "16"], "stride of 32"),
        (
            ["--coefficients", "paper", "--strategy", "v2:223"],
            "v2:224",
        ),
        (
            ["--coefficients", "paper", "--strategy", "v2", "--resolution", "512"],
            "v2:512",
        ),
        (["--coefficients", "paper", "--rounding.divisor", "-8"], "--rounding.divisor"),
        (["--coefficients", "paper", "--rounding.min-ratio", "90"], "--rounding.min-ratio"),
        (
            ["--coefficients", "paper", "--depth-weights", "0", "0", "1"],
            "--depth-weights",
        ),
        (
            ["--coefficients", "paper", "--depth-weights", *["0"] * 7],
            "--depth-weights",
        ),
        (["--coefficients", "paper", "--depth-weights", "1", "-1"], "--depth-weights"),
        (["--coefficients", "1,1,1", "--baseline", "mnasnet_a1", "--equal-cost"], "1/1/1"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], named: str
) -> None:
    assert run(tmp_path / "f", *words) == 2
    shown = capsys.readouterr()
    assert named in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not shown.out
    assert not (tmp_path / "f").exists()


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys, scaling, scaling.family.__main__ as f\n"
        "try: f.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'ray', 'scipy', 'pandas', 'optuna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--phi VALUE ..." in done.stdout

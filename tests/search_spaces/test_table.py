"""The table command, as its user sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from search_spaces import table
from search_spaces.common import cli
from search_spaces.metrics.counts import CONVENTION, cost
from search_spaces.networks.arch import Arch, Stage
from search_spaces.zoo.registry import get, names

STAGES = """\
resnet18: 224 px, 1000 classes, relu

stage  operator              input       out  layers  stride        skip  params    MACs  share  activations
stem   Conv k7, max pool k3  224x224x3    64       1       4              9.536K    118M   6.5%       802.8K
1      Basic k3              56x56x64     64       2       1  projection    148K  462.4M  25.5%       802.8K
2      Basic k3              56x56x64    128       2       2  projection  525.6K    411M  22.7%       501.8K
3      Basic k3              28x28x128   256       2       2  projection    2.1M    411M  22.7%       250.9K
4      Basic k3              14x14x256   512       2       2  projection  8.394M    411M  22.7%       125.4K
       pool, linear          7x7x512    1000       1                        513K    512K   0.0%           1K

FLOPs (multiply-adds)  1.814G  1,814,073,344
parameters             11.69M     11,689,512
activations            2.485M      2,484,712
FLOPs here are multiply-adds of convolution and linear layers for one image, as the papers count them.
"""


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(table.main, arguments)
    return (code, *capsys.readouterr())


def test_b0_s_layers_and_totals(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = show(capsys, "efficientnet_b0")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "efficientnet_b0: 224 px, 1000 classes, silu"
    rows = [line.split() for line in lines[3:22]]
    assert [row[0] for row in rows] == [
        "stem",
        *(f"stage{i}.{j}" for i, layers in enumerate((1, 2, 2, 3, 3, 4, 1), start=1) for j in range(1, layers + 1)),
        "head",
        "classifier",
    ]
    # 3x3 stem by hand: 27 * 32 weights and 64 of the norm; 864 * 112^2 multiply-adds.
    assert rows[0] == ["stem", "Conv", "k3", "224x224x3", "32", "2", "928", "10.84M", "2.8%", "401.4K"]
    assert rows[3][:8] == ["stage2.2", "MBConv6", "k3", "SE0.25", "56x56x24", "24", "1", "identity"]
    assert [line.split()[-1] for line in lines[23:26]] == [
        "385,814,752",
        "5,288,548",
        f"{cost(get('efficientnet_b0')).activations:,}",
    ]
    assert lines[26] == CONVENTION


@pytest.mark.parametrize("name", names())
def test_every_published_network_has_a_table_whose_rows_add_up(name: str) -> None:
    arch = get(name)
    rows = [line.split() for line in table.layer_table(arch).splitlines()[1:]]
    assert len(rows) == 2 + bool(arch.head) + sum(stage.layers for stage in arch.stages)
    assert sum(float(row[-2].rstrip("%")) for row in rows) == pytest.approx(100, abs=0.05 * len(rows))


def test_the_stages_of_a_network_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys, "resnet18", "--stages") == (0, STAGES, "")


def test_stages_as_in_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = show(capsys, "mnasnet_a1", "--stages")
    rows = [line.split() for line in out.splitlines()[3:12]]
    assert rows[1] == ["1", "SepConv", "k3", "112x112x32", "16", "1", "1", "896", "10.04M", "3.2%", "602.1K"]
    assert rows[3][:8] == ["3", "MBConv3", "k5", "SE0.25", "56x56x24", "40", "3", "2"]


def test_stages_show_the_skips_there_are() -> None:
    stage = Stage("conv", kernel=3, stride=2, channels=8, layers=2, skip="pool")
    arch = Arch(stages=(stage,), stem=4, head=8, resolution=16, stem_stride=1)
    assert " 2  pool " in table.stage_table(arch)


def test_resnet_s_rows_and_what_stands_in_its_stem(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = show(capsys, "resnet50", "--stages")
    rows = [line.split() for line in out.splitlines()[3:9]]
    # By hand: 49 * 3 * 64 weights and 128 of the norm; 9408 * 112^2 multiply-adds. The stem shrinks by 4.
    assert rows[0][:11] == ["stem", "Conv", "k7,", "max", "pool", "k3", "224x224x3", "64", "1", "4", "9.536K"]
    assert rows[2][:8] == ["2", "Bottleneck4", "k3", "56x56x256", "512", "4", "2", "projection"]
    assert [row[0] for row in rows] == ["stem", "1", "2", "3", "4", "pool,"]
    _, out, _ = show(capsys, "resnet50")
    assert [" projection " in line for line in out.splitlines()[4:8]] == [True, False, False, True]


def test_another_resolution(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = show(capsys, "efficientnet_b0", "--resolution", "32")
    assert code == 0
    assert "32x32x3" in out
    assert f"{cost(get('efficientnet_b0').replace(resolution=32)).macs:,}" in out


def test_an_arch_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    get("mobilenet_v2").replace(classes=10, name="").save(path)
    code, out, _ = show(capsys, str(path))
    assert code == 0
    assert out.startswith(f"{path}: 224 px, 10 classes, relu6\n")


def test_columns_stand_under_their_headings() -> None:
    lines = table.layer_table(get("efficientnet_l2")).splitlines()
    edge = lines[0].index("params") + len("params")
    assert all(line[edge - 1] != " " and line[edge] == " " for line in lines)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["efficientnet-b0"], "'efficientnet_b0'"),
        (["vgg"], "'vgg'"),
        (["missing.json"], "missing.json: "),
        (["/"], "/: "),
        (["efficientnet_b0", "--resolution", "0"], "--resolution"),
        (["efficientnet_b0", "--resolution", "-32"], "--resolution"),
        (["efficientnet_b0", "--resolution", "big"], "big"),
        (["efficientnet_b0", "--adit"], "--adit"),
        ([], "NAME|FILE"),
    ],
)
def test_mistakes_are_one_line_and_code_2(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    code, out, err = show(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert named in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_arch_is_one_line_and_code_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"format": "triaxis-arch-1", "stages": 3}')
    code, out, err = show(capsys, str(path))
    assert (code, out) == (2, "")
    assert str(path) in err


def test_the_audit_explains_why_the_counters_differ(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = show(capsys, "efficientnet_b0", "--audit", "--resolution", "64")
    assert code == 0
    rows = {line[:16].strip(): line.split() for line in out.split("Audit")[1].splitlines()}
    assert rows["unexplained"][-2:] == ["0", "0"]
    ours, by_fvcore, by_torch = (int(number.replace(",", "")) for number in rows["total"][-3:])
    assert ours == cost(get("efficientnet_b0").replace(resolution=64)).macs
    norms, pooling = (int(rows[name][-2].replace(",", "")) for name in ("batch norm", "global pooling"))
    assert (by_fvcore, by_torch) == (ours + norms + pooling, 2 * ours)


def test_the_command_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "search_spaces.table", "mobilnet_v2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: 'mobilnet_v2' ")
    assert "'mobilenet_v2'" in done.stderr

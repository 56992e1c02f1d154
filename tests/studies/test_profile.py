"""The profile command, as its user sees it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from search_spaces.common import cli
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch, Stage
from search_spaces.zoo import registry as catalog
from studies import profile
from studies.timing.latency import Conditions, Latency

STAGE = Stage("mbconv", kernel=3, stride=2, channels=8, layers=1, expansion=2)
TINY = Arch(stages=(STAGE,), stem=4, head=8, resolution=16, classes=3)
GOLDEN = Path(__file__).with_name("profile.txt")
MACHINE = {"device": "AMD EPYC", "system": "Linux", "torch": "2.14.1"}
QUICK = ("--runs", "2", "--warmup", "0")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two small networks as arch files."""
    paths = [tmp_path / "small.json", tmp_path / "a-longer-name.json"]
    TINY.save(paths[0])
    TINY.replace(resolution=32).save(paths[1])
    return [str(path) for path in paths]


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(profile.main, arguments)
    return (code, *capsys.readouterr())


def fixed(network: str, std: float | None = 0.0001) -> profile.Profile:
    """A profile with known seconds."""
    took = Latency(0.0125, 0.0124, std, 0.0121, 0.0131, 20, 4, 1, "cpu", channels_last=False)
    return profile.Profile(network, catalog.get("efficientnet_b0"), took)


def test_a_row_has_cost_and_latency() -> None:
    # B0 has 5.3M parameters and 0.39B FLOPs (EN Table 2), and 6.75M activations (timm); 4 images in 12.5 ms are 320/s.
    assert fixed("b0").row() == (
        *("b0", "224", "5.289M", "385.8M", "6.748M", "12.50", "0.100", "12.40", "12.10 to 13.10", "320.0"),
        "contiguous",
    )


def test_the_report_as_a_person_reads_it() -> None:
    """The runs of the second network vary by 2.5 of 12.5 ms, a fifth; one run has no standard deviation."""
    calm = profile.report([fixed("efficientnet_b0")], Conditions(batch=4), MACHINE)
    varied = [fixed("calm"), fixed("varied", std=0.0025), fixed("once", std=None)]
    assert f"{calm}\n\n---\n\n{profile.report(varied, Conditions(), MACHINE)}\n" == GOLDEN.read_text()


def test_several_files_at_another_resolution(capsys: pytest.CaptureFixture[str], files: list[str]):
    code, out, err = show(capsys, *QUICK, files[0], "--resolution", "24", files[1], "--layout", "channels_last")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()[1:3]]
    assert [row[:2] for row in rows] == [[files[0], "24"], [files[1], "24"]]
    assert [row[-1] for row in rows] == ["channels_last"] * 2


def test_json_is_one_document_in_raw_units(capsys: pytest.CaptureFixture[str], files: list[str]):
    _, out, _ = show(capsys, *files, *QUICK, "--batch", "2", "--layout", "contiguous", "--json")
    found = json.loads(out)
    assert found["conditions"] == {"batch": 2, "threads": 1, "runs": 2, "warmup": 0, "device": "cpu", "seed": 0}
    assert found["machine"]["device"]
    first, second = found["networks"]
    spent = cost(TINY)
    assert (first["network"], first["key"], first["resolution"]) == (files[0], TINY.key, 16)
    assert (first["params"], first["macs"], first["activations"]) == (spent.params, spent.macs, spent.activations)
    assert second["macs"] == cost(TINY.replace(resolution=32)).macs
    assert first["images_per_second"] == pytest.approx(2 / first["mean_seconds"])
    assert first["low_seconds"] <= first["median_seconds"] <= first["high_seconds"]


def test_json_knows_no_nan(capsys: pytest.CaptureFixture[str], files: list[str]):
    _, out, _ = show(capsys, files[0], "--runs", "1", "--warmup", "0", "--json")
    assert json.loads(out)["networks"][0]["std_seconds"] is None


def test_csv_has_the_same_rows(capsys: pytest.CaptureFixture[str], files: list[str], tmp_path: Path):
    path = tmp_path / "latency.csv"
    code, out, _ = show(capsys, *files, *QUICK, "--csv", str(path), "--json")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [{name: str(value) for name, value in row.items()} for row in json.loads(out)["networks"]] == rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mobilenet_v3"], "'mobilenet_v2'"),
        (["mobilenet_v2", "missing.json"], "missing.json"),
        ([], "efficientnet_b0"),
        (["mobilenet_v2", "--batch", "0"], "batch"),
        (["mobilenet_v2", "--batch", "big"], "--batch: invalid int value: 'big'"),
        (["mobilenet_v2", "--runs", "0"], "runs"),
        (["mobilenet_v2", "--threads", "10000"], "10000"),
        (["mobilenet_v2", "--layout", "nhwc"], "'nhwc'"),
        (["mobilenet_v2", "--device", "gpu"], "'gpu'"),
        (["mobilenet_v2", "--resolution", "16"], "at least 32 px"),
        (["mobilenet_v2", "--resolution", "0"], "resolution"),
        (["mobilenet_v2", "--csv", "no/such/folder.csv"], "--csv no/such/folder.csv"),
        (["mobilenet_v2", "--treads", "1"], "'--treads'"),
    ],
)
def test_mistakes_are_one_line_and_code_2(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str):
    code, out, err = show(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_help_needs_no_torch():
    code = "import sys, studies.profile as p\ntry: p.main(['--help'])\nexcept SystemExit: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: python -m studies.profile")
    assert done.stdout.splitlines()[-1] == "False"

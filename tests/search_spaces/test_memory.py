"""The memory command, as its user sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from search_spaces import memory
from search_spaces.common import cli
from search_spaces.common.units import format_bytes
from search_spaces.metrics.memory import largest_batch, training_memory
from search_spaces.zoo.registry import get

TABLE = """\
mobilenet_v2: 224 px, relu6, batch 8, sgd, largest batch within 8GiB

network    params    MACs  training  saved  inference  largest batch  in inference
as it is   3.505M  300.8M  633.8MiB  94.1%   97.72MiB            108           776
kernels 3  3.505M  300.8M  633.8MiB  94.1%   97.72MiB            108           776
kernels 5  3.619M  337.6M  634.6MiB  94.0%   98.15MiB            108           776
silu       3.505M  300.8M  633.8MiB  94.1%   97.72MiB            108           776

Peak of one training step (weights, gradients, optimiser, saved activations, gradients of activations) and of a
forward pass, images included, in float32. Not counted: scratch memory of libraries, the allocator's fragments,
the process itself. `saved` is the share of saved activations. MACs are for one image.
"""


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(memory.main, arguments)
    return (code, *capsys.readouterr())


def rows(out: str) -> dict[str, list[str]]:
    """Cells by the row's name, which ends at two spaces."""
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in out.split("\n\n")[1].splitlines()]
    return {name: rest for name, *rest in cells}


def test_kernels_and_activations_in_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = show(capsys, "efficientnet_b0")
    assert (code, err) == (0, "")
    assert out.startswith("efficientnet_b0: 224 px, silu, batch 64, sgd\n")
    table = rows(out)
    assert list(table) == [
        "network",
        "as it is",
        *(f"kernels {kernel}" for kernel in (3, 5, 7)),
        *("relu", "relu6", "silu", "hardswish", "gelu"),
    ]
    total = format_bytes(training_memory(get("efficientnet_b0"), 64).total, 4)
    assert table["as it is"][:3] == ["5.289M", "385.8M", total]
    assert table["silu"] == table["as it is"]


def test_the_table_with_a_budget_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "mobilenet_v2",
        "--batch-size",
        "8",
        "--budget",
        "8GiB",
        "--kernels",
        "3",
        "5",
        "--activations",
        "silu",
    )
    assert show(capsys, *arguments) == (0, TABLE, "")


def test_the_variants_are_networks_of_their_own() -> None:
    b0 = get("efficientnet_b0")
    found = dict(memory.variants(b0, (5,), ("relu",)))
    assert found["as it is"] is b0
    assert {stage.kernel for stage in found["kernels 5"].stages} == {5}
    assert (found["relu"].activation, found["relu"].stages) == ("relu", b0.stages)


def test_a_budget_adds_the_largest_batches(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = show(capsys, "mobilenet_v2", "--budget", "8GiB", "--optimizer", "adamw", "--kernels", "--activations")
    table = rows(out)
    assert list(table) == ["network", "as it is"]
    trained = largest_batch(get("mobilenet_v2"), 2**33, optimizer="adamw")
    inferred = largest_batch(get("mobilenet_v2"), 2**33, training=False)
    assert table["as it is"][-2:] == [f"{trained:,}", f"{inferred:,}"]


def test_an_arch_file_and_another_batch(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    get("mobilenet_v2").replace(name="").save(path)
    code, out, _ = show(capsys, str(path), "--batch-size", "8", "--kernels", "3", "--activations", "gelu")
    assert code == 0
    assert out.startswith(f"{path}: 224 px, relu6, batch 8, sgd\n")
    assert list(rows(out)) == ["network", "as it is", "kernels 3", "gelu"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["efficientnet-b0"], "'efficientnet_b0'"),
        (["efficientnet_b0", "--batch-size", "0"], "batch size"),
        (["efficientnet_b0", "--budget", "10MiB"], "--budget 10MiB: one image needs 136MiB"),
        (["efficientnet_b0", "--budget", "8G"], "'8G'"),
        (["efficientnet_b0", "--kernels", "4"], "kernel"),
        (["efficientnet_b0", "--activations", "relo"], "'relu'"),
        (["efficientnet_b0", "--optimizer", "sdg"], "'sgd'"),
        (["efficientnet_b0", "--batch"], "--help"),
        ([], "NAME|FILE"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    code, out, err = show(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert named in err


def test_it_is_a_command_without_torch() -> None:
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "search_spaces.memory",
        "mobilenet_v2",
        "--batch-size",
        "8",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mobilenet_v2: 224 px, relu6, batch 8, sgd\n")
    assert "torch" not in done.stderr

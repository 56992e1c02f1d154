"""Rows of all registries say what the docs need, and the docs' tables are what the registries say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from search_spaces.common.lazy import resolve
from search_spaces.resizing.registry import STRATEGIES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
# Parts of other registries.
PARTS = {"search_spaces.resizing.registry:FAMILY_STRATEGIES", "search_spaces.metrics.registry:COMPUTED"}
REGISTRIES = sorted(
    f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}:{name}"
    for package in ("search_spaces", "studies", "nas", "scaling", "reports")
    for path in (ROOT / package).rglob("registry.py")
    for name in re.findall(r"^(\w+)(?:: .+)? = Registry\(", path.read_text(), re.MULTILINE)
)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "write_tables.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_table_is_out_of_date() -> None:
    result = run("--check")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_every_registry_has_a_table() -> None:
    shown = {name for page in PAGES for name in re.findall(r"<!-- table (\S+)", page.read_text())}
    assert len(REGISTRIES) >= 10
    assert shown == {*REGISTRIES} - PARTS


@pytest.mark.parametrize("code", REGISTRIES)
def test_every_row_has_a_label_and_code_that_is_there(code: str) -> None:
    registry = resolve(code)
    rows = registry.values()
    assert all(row.label and not row.label.endswith(".") for row in rows)
    assert len({row.label for row in rows}) == len({row.code for row in rows}) == len(rows)
    for name, row in registry.items():
        assert (row.name, registry.row(name), row.is_own) == (name, row, False)
        row.load()


def test_a_table_has_a_line_for_each_row(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    table = "<!-- table search_spaces.resizing.registry:STRATEGIES name=strategy source in_families -->\nold\n"
    page.write_text(f"before\n\n{table}<!-- end of table -->\n\nafter\n")
    assert run("--check", str(page)).returncode == 1
    assert "old" in page.read_text()
    assert run(str(page)).returncode == 0
    lines = page.read_text().splitlines()
    assert lines[:2] + lines[-2:] == ["before", "", "", "after"]
    assert lines[3] == "| strategy | source | in families |"
    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == list(STRATEGIES)
    assert lines[5].endswith("arXiv [1905.11946](https://arxiv.org/abs/1905.11946), Section 3.2 | no |")
    assert run("--check", str(page)).returncode == 0

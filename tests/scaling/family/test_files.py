"""The folder of a family: what a new one replaces, and what is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling.family.__main__ import main
from scaling.family.files import write
from search_spaces.common import cli


def run(folder: Path, *words: str) -> int:
    return cli.run(main, [*words, "--out", str(folder)])


def test_a_family_replaces_a_family(tmp_path: Path) -> None:
    out = tmp_path / "f"
    out.mkdir()
    assert run(out, "--coefficients", "paper", "--phi", "0", "1") == 0
    assert run(out, "--coefficients", "paper", "--phi", "2") == 0
    assert sorted(path.name for path in out.iterdir()) == ["family.csv", "family.json", "phi-2.json", "phi-2.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("foreign", ["notes.txt", "family.json", "phi-1.json"])
def test_what_is_no_family_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str], foreign: str) -> None:
    out = tmp_path / "f"
    out.mkdir()
    (out / foreign).write_text("{}")
    assert run(out, "--coefficients", "paper") == 2
    assert f"holds '{foreign}', which is no family's file: choose another" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == [foreign]


def test_a_file_beside_an_older_family_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "f", "--coefficients", "paper", "--phi", "1") == 0
    (tmp_path / "f" / "weights.bin").write_text("")
    assert run(tmp_path / "f", "--coefficients", "paper", "--phi", "2") == 2
    assert "holds 'weights.bin'" in capsys.readouterr().err
    assert (tmp_path / "f" / "phi-1.json").exists()


def test_a_swap_that_fails_keeps_the_older_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "f"
    assert run(out, "--coefficients", "paper", "--phi", "1") == 0
    before = {path.name: path.read_text() for path in out.iterdir()}
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(ValueError, match="cannot write the family to .*: No space left on device"):
        write(out, {"family.json": "{}"})
    assert {path.name: path.read_text() for path in out.iterdir()} == before

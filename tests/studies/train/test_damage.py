"""Files of a training that were damaged: one line that names the file, and a remedy that works."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.train.__main__ import main
from tests.studies.trainings import curve, started, wait_for_rows, words


def test_a_truncated_checkpoint_is_one_line(arch: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with started(words(arch, run, "--epochs", "50")) as process:
        wait_for_rows(run, 2, process)
        process.kill()
    checkpoint = run / "seeds" / "seed0.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"seed0\.ckpt") as caught:
        main(words(arch, run, "--epochs", "50"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["", "{}", "[]", "null", '{"curve": [], "test": {}}'])
def test_a_result(arch: Path, tmp_path: Path, damage: str) -> None:
    run = tmp_path / "run"
    main(words(arch, run, "--epochs", "1"))
    before, path = curve(run), run / "seeds" / "seed0.result.json"
    path.write_text(damage)
    refused_until_deleted(path, words(arch, run, "--epochs", "1", "--seeds", "2"))
    assert curve(run)[:1] == before


@pytest.mark.parametrize("kept", [0, 1000, -1])
def test_weights_that_are_not_whole(arch: Path, tmp_path: Path, kept: int) -> None:
    run = tmp_path / "run"
    main(words(arch, run, "--epochs", "1"))
    weights = run / "seeds" / "seed0.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:kept])
    refused_until_deleted(weights, words(arch, run, "--epochs", "1", "--seeds", "2"))
    assert weights.read_bytes() == whole


def refused_until_deleted(path: Path, command: list[str]) -> None:
    with pytest.raises(ValueError, match=path.name) as caught:
        main(command)
    assert "\n" not in str(caught.value)
    path.unlink()
    assert main(command) == 0

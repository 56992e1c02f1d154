"""A training on a user's own data set and recipe, in this process: shown again, and refused once the code changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.train.__main__ import main
from tests.own_code import write_modules
from tests.studies.trainings import rows


def test_a_run_is_finished_shown_extended_and_refused_with_other_code(
    arch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, run = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    write_modules(home, "own_train_")
    monkeypatch.syspath_prepend(str(home))
    words = ["--dataset", "own_train_images:load", "--recipe", "own_train_recipe:mine", "--arch", str(arch)]
    words += ["--images", "64", "--epochs", "1", "--device", "cpu", "--cpus-per-worker", "1", "--run", str(run)]
    main(words)
    assert len(rows(run)) == 1
    main([*words, "--seeds", "2"])
    assert len(rows(run)) == 2
    assert "own_train_images:load" in capsys.readouterr().out
    before = (run / "manifest.json").read_bytes()
    with (home / "own_train_images.py").open("a") as file:
        file.write("# another comment is other text\n")
    for more in ("2", "3"):
        with pytest.raises(ValueError, match=r"module own_train_images.*--new.*--run"):
            main([*words, "--seeds", more])
    assert (run / "manifest.json").read_bytes() == before
    main([*words, "--new"])
    assert len(rows(run)) == 1

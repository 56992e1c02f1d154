"""Which of a user's own code the settings of a command name, and the folders in which it is found again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nas.proxy.config import ProxyConfig
from nas.search.config import SearchConfig
from scaling.experiment.config import ExperimentConfig
from search_spaces.common import cli
from search_spaces.common.settings import own_code, setting
from search_spaces.common.user_code import called, digests, folders
from studies.data.config import DataConfig
from studies.train.config import TogetherConfig, TrainConfig
from studies.workers.config import WorkersConfig, with_code_folders

pytestmark = pytest.mark.usefixtures("outside")
IMAGES, RECIPE = DataConfig(dataset="outside_images:load"), "outside_recipe:mine"


def test_every_command_names_its_own_code(outside: Path) -> None:
    search = SearchConfig(data=IMAGES, recipe=RECIPE, sampler="outside_sampler:Mine")
    assert own_code(search) == ("outside_sampler:Mine", "outside_images:load", "outside_recipe:mine")
    proxy = ProxyConfig(data=IMAGES, against_recipe=RECIPE, zero_cost=("grad_norm", "outside_score:score"))
    assert own_code(proxy) == ("outside_images:load", "outside_score:score", "outside_recipe:mine")
    rows = DataConfig(dataset="outside_rows:NOISE")
    assert own_code(ExperimentConfig(data=rows)) == ("outside_rows:NOISE", "outside_images:load")
    assert own_code(TrainConfig(recipe=RECIPE)) == (RECIPE,)
    for config in (search, proxy, ExperimentConfig(data=rows), TrainConfig(recipe=RECIPE)):
        assert config.settings()["workers"]["code"] == [str(outside.resolve())]
    for trained in (search, proxy, ExperimentConfig(data=rows)):
        assert trained.identity()["code"] == digests(own_code(trained))
    assert own_code(SearchConfig(data=DataConfig(dataset="imagefolder:photos"))) == ()


@dataclass(frozen=True)
class Target:
    """A setting whose value follows the name."""

    limits: tuple[str, ...] = setting((), registry="nas.samplers.registry:SAMPLERS")


def test_a_value_behind_the_name_is_no_part_of_it() -> None:
    assert own_code(Target(("tpe=5M", "outside_sampler:Mine=7"))) == ("outside_sampler:Mine",)


def test_the_folders_given_are_kept_and_are_searched(
    outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))  # puts sys.path back in the end
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "found_by_code.py").write_text("from outside_recipe import mine\n")
    monkeypatch.chdir(tmp_path)
    for kind in (WorkersConfig, TogetherConfig):
        with pytest.raises(ValueError, match="--code nowhere"):
            kind(code=("nowhere",))
    config = TrainConfig(workers=TogetherConfig(code=("own",)), recipe="found_by_code:mine")
    # The module imports another one of the user's.
    found = (str(tmp_path / "own"), str(outside.resolve()))
    assert folders(own_code(config)) == found
    assert with_code_folders(config).workers.code == found
    assert config.workers.fitted(1).code == ("own",)


def test_a_file_of_settings_finds_the_code_from_another_folder(outside: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        cli.to_yaml(with_code_folders(TrainConfig(recipe=RECIPE, run=str(tmp_path / "run"))))
    )
    for words, code in ((["--config", "config.yaml"], 0), (["--recipe", RECIPE], 2)):
        command = [sys.executable, "-m", "studies.train", *words, "--images", "64", "--dry-run"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stderr
    assert "outside_recipe" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_code_that_exits_or_lacks_memory() -> None:
    with pytest.raises(ValueError, match="SystemExit"):
        called("recipe a:b", sys.exit, 3)

    def hungry() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        called("recipe a:b", hungry)

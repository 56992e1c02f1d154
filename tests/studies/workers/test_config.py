"""The settings that trials are executed by, in the configuration of every command that executes them."""

from __future__ import annotations

from typing import Any

import pytest

from nas.proxy.config import ProxyConfig
from nas.search.config import SearchConfig
from scaling.curves.config import CurvesConfig
from scaling.grid.config import GridConfig
from search_spaces.common import cli
from search_spaces.common.settings import settings_of
from studies.data.config import DataConfig
from studies.workers.config import PLACEMENT, WorkersConfig

CONFIGS: tuple[type[Any], ...] = (SearchConfig, ProxyConfig, GridConfig, CurvesConfig)
GIVEN = WorkersConfig(3, 2, 0.5, "auto", retries=4, tensorboard=True)
WORDS = (
    *("--workers", "3", "--cpus-per-trial", "2", "--gpus-per-trial", "0.5", "--ray-address", "auto", "--retries", "4"),
    "--tensorboard",
)


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_command_takes_the_flags_of_its_workers(kind: type[Any]) -> None:
    def parse(*words: str) -> Any:
        return cli.parse(kind, words, prog="", description="")

    assert parse(*WORDS) == kind(workers=GIVEN)
    assert parse("--workers", "0").workers == WorkersConfig(number=0)
    with pytest.raises(ValueError, match="--workers"):
        parse("--workers", "-1")


@pytest.mark.parametrize("kind", CONFIGS)
def test_where_trials_run_is_no_part_of_what_they_mean(kind: type[Any]) -> None:
    known = settings_of(kind).values()
    assert {one.name for one in known} | {one.group for one in known} >= PLACEMENT
    assert kind(workers=GIVEN).identity() == kind(workers=WorkersConfig(0)).identity() == kind().identity()
    assert "workers" not in kind().identity()
    assert kind(data=DataConfig(root="x")).identity() == kind().identity()
    assert kind(data=DataConfig("cifar10")).identity() != kind().identity()


def test_a_shared_folder_holds_the_workers_files() -> None:
    assert SearchConfig(storage_path="/shared").ray_folder == "/shared/ray"
    assert SearchConfig().ray_folder is None

"""The settings that trials are executed by, in the configuration of every command that executes them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from nas.proxy.config import ProxyConfig
from nas.search.config import SearchConfig
from scaling.curves.config import CurvesConfig
from scaling.grid.config import GridConfig
from studies.workers.config import PLACEMENT
from studies.workers.resources import Execution

CONFIGS: tuple[type[Any], ...] = (SearchConfig, ProxyConfig, GridConfig, CurvesConfig)
GIVEN = {
    "workers": 3, "cpus_per_trial": 2, "gpus_per_trial": 0.5, "ray_address": "auto", "retries": 4, "tensorboard": True,
}  # fmt: skip


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_command_executes_its_trials_as_it_is_told(kind: type[Any]) -> None:
    assert kind(**GIVEN).execution == Execution(3, 2, 0.5, "auto", retries=4, tensorboard=True)
    assert kind(workers=0).execution == Execution(workers=0)
    with pytest.raises(ValueError, match="--workers"):
        kind(workers=-1)


@pytest.mark.parametrize("kind", CONFIGS)
def test_where_trials_run_is_no_part_of_what_they_mean(kind: type[Any]) -> None:
    assert {field.name for field in dataclasses.fields(kind)} >= PLACEMENT
    assert kind(**GIVEN).identity() == kind(workers=0).identity() == kind().identity()


def test_a_shared_folder_holds_the_workers_files() -> None:
    assert SearchConfig(storage_path="/shared").execution.storage_path == "/shared/ray"
    assert SearchConfig().execution.storage_path is None

"""The settings of all commands that train trials in parallel. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from search_spaces.common.checks import check_minimum
from search_spaces.common.settings import own_code, setting, settings_of
from search_spaces.common.user_code import folders, search_in

Config = TypeVar("Config")

# Settings, and a group of them, that decide where and on what trials run. They change no result, so a run may resume
# with other values.
PLACEMENT = frozenset({"workers", "data.root", "run", "new", "dry_run"})


def with_code_folders(config: Config) -> Config:
    """A configuration with the absolute folders of its own modules under `workers.code`.

    So config.yaml, which does not depend on the working folder, is enough to find them again.
    """
    settings: Any = config
    given = [str(Path(folder).resolve()) for folder in settings.workers.code]
    found = tuple(dict.fromkeys((*given, *folders(own_code(config)))))
    changed: Config = dataclasses.replace(settings, workers=dataclasses.replace(settings.workers, code=found))
    return changed


@dataclass(frozen=True)
class WorkersConfig:
    """Where trials run, and on what.

    Attributes:
        number: Trainings at once. Default: as many as the cores (and GPUs) allow. 0: one by one in this process,
            without Ray.
        cpus_per_trial: CPU cores, and threads, per training.
        gpus_per_trial: GPUs per training, fractions allowed (0.5: two trainings share one). Default: GPUs are split
            evenly between the workers, at most one each.
        ray_address: Address of an existing Ray cluster, such as auto (on one of its machines) or host:6379. Default:
            this machine alone.
        retries: Retries of a training whose worker crashed, before it counts as an error.
        tensorboard: Write TensorBoard logs of all trainings into the run folder.
        code: Folders of your own modules, besides the working folder and PYTHONPATH.

    From then on this process finds modules in the folders of `code`. Raises ValueError, naming the flag, for values
    that make no sense on any machine.

    """

    number: int | None = setting(None, flag="workers")
    cpus_per_trial: int = 1
    gpus_per_trial: float | None = None
    ray_address: str | None = None
    retries: int = 1
    tensorboard: bool = False
    code: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        search_in(self.code)
        check_minimum(self, {"number": 0, "cpus_per_trial": 1, "retries": 0})
        if self.number == 0 and self.ray_address is not None:
            raise ValueError(
                f"--workers 0 runs in this process, not on the cluster of --ray-address {self.ray_address}: remove one "
                "of the two flags"
            )
        gpus = self.gpus_per_trial
        if gpus is not None and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
            raise ValueError(f"--gpus-per-trial must be a fraction of one GPU or a whole number, got {gpus:g}")
        if self.ray_address is not None and self.ray_address.startswith("ray://"):
            raise ValueError(
                f"--ray-address {self.ray_address}: Ray Client addresses are not supported; start the command on a "
                "machine of the cluster, with --ray-address auto or host:port"
            )

    @property
    def cpus_flag(self) -> str:
        """The command's flag for `cpus_per_trial`, which errors name."""
        return settings_of(type(self))["cpus_per_trial"].flag

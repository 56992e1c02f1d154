"""What the configurations of all commands that train trials in parallel have in common. Imports nothing heavy."""

from __future__ import annotations

from studies.workers.resources import Execution

# Settings that decide where and on what trials run. They change no result, so a run may resume with other values.
PLACEMENT = frozenset({
    "workers", "cpus_per_trial", "gpus_per_trial", "ray_address", "retries", "tensorboard", "data_root", "run", "new",
    "dry_run",
})  # fmt: skip


class TrialConfig:
    """The settings of an Execution.

    This is no dataclass: each configuration has the fields, with their help, at the place where its --help and its
    config.yaml show them. Fields of a base dataclass would come before all others.
    """

    workers: int | None
    cpus_per_trial: int
    gpus_per_trial: float | None
    ray_address: str | None
    retries: int
    tensorboard: bool

    @property
    def execution(self) -> Execution:
        """How the trials are executed."""
        return Execution(
            workers=self.workers,
            cpus_per_trial=self.cpus_per_trial,
            gpus_per_trial=self.gpus_per_trial,
            ray_address=self.ray_address,
            retries=self.retries,
            tensorboard=self.tensorboard,
        )

"""How the commands of a scaling experiment run in their folder."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from rich.console import Console

from scaling.experiment.baseline import Baseline
from scaling.experiment.config import ExperimentConfig
from scaling.experiment.trainings import Experiment
from search_spaces.common.settings import own_code
from search_spaces.networks.registry import own_operators
from studies.data.dataset import Dataset
from studies.runs.command import run_command
from studies.runs.folder import RunFolder
from studies.workers.pool import WorkerPool
from studies.workers.resources import Resources


class ExperimentPlan(Protocol):
    """What the plans of a grid and of curves have in common."""

    @property
    def config(self) -> ExperimentConfig: ...
    @property
    def baseline(self) -> Baseline: ...
    @property
    def resources(self) -> Resources | None: ...


def run_experiment(
    work: Callable[[Experiment], str], plan: ExperimentPlan, module: str, *, resumable: Collection[str], about: str
) -> None:
    """Train and analyse in the run's folder, and print the report.

    Args:
        work: trains what is missing, writes the files and returns the report
        plan: of the experiment
        module: the command, such as scaling.grid
        resumable: settings that may differ from those of the run that is resumed
        about: printed before the trainings

    Raises ValueError as `run_command` and `work` do.

    """
    config = plan.config
    code = (*own_code(config), *own_operators(plan.baseline.original))

    size = plan.resources.workers if plan.resources else None

    def in_folder(run: RunFolder, console: Console, data: Dataset) -> str:
        console.print(about, soft_wrap=True)
        with WorkerPool(config.workers, size, code=code) as workers:
            return work(Experiment(config, config.identity(), run, console, data, workers))

    run_command(
        in_folder, config, config.settings(), module, resumable=resumable, validation=config.validation, code=code
    )

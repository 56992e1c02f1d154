"""Find alpha, beta, gamma on your own data: `python -m scaling.grid --phi 1`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scaling.grid.config import EXTENDABLE, RESUMABLE, GridConfig
from search_spaces.common import cli
from search_spaces.common.units import format_bytes, format_count

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.grid.plan import GridPlan
    from studies.data.dataset import Dataset
    from studies.runs.folder import RunFolder

DESCRIPTION = (
    "Grid search for the coefficients of compound scaling: all alpha, beta, gamma with alpha * beta^2 * gamma^2 near 2 "
    "are applied to a baseline, the different networks are trained on your images at equal cost, each with the same "
    "seeds, on Ray Tune workers; the answer is the best, all that cannot be told from it, and a fitted law. The same "
    "command goes on where an earlier one was ended."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = cli.parse(GridConfig, argv, prog="python -m scaling.grid", description=DESCRIPTION)

    from scaling.grid.plan import prepare
    from studies.runs.command import finished_report

    plan = prepare(config)
    if config.dry_run:
        from scaling.grid.report import describe_plan

        print(describe_plan(plan))
        return 0
    if (
        not config.new
        and (said := finished_report(config.run, settings(config), free=RESUMABLE, size=EXTENDABLE)) is not None
    ):
        print(f"{said}; more --seeds go on with it.")
        return 0
    search(plan)
    return 0


def search(plan: GridPlan) -> None:
    """Run the grid in its folder and print the answer."""
    from scaling.experiment.trainings import Experiment
    from scaling.grid.files import write_files
    from scaling.grid.report import report
    from scaling.grid.run import carry_out
    from studies.runs.command import run_command

    config = plan.config

    def work(run: RunFolder, console: Console, data: Dataset) -> str:
        console.print(plan.baseline.describe(), soft_wrap=True)
        console.print(plan.grid.describe(), soft_wrap=True)
        workers = plan.resources.workers if plan.resources else None
        outcome = carry_out(plan, Experiment(config, config.identity(), run, console, data, workers))
        write_files(outcome, run)
        return report(outcome, run.folder)

    run_command(work, config, settings(config), "scaling.grid", free=RESUMABLE, validation=config.validation)


def settings(config: GridConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    flops = None if config.flops is None else format_count(config.flops)
    memory = None if config.memory is None else format_bytes(config.memory)
    return cli.plain(dataclasses.replace(config, new=False, max_flops=flops, max_memory=memory))


if __name__ == "__main__":
    sys.exit(cli.run(main))

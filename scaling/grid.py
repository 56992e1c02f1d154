"""Find alpha, beta, gamma on your own data: `python -m scaling.grid --phi 1`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scaling.grid_config import FREE, SIZE, GridConfig
from search_spaces import commandline
from search_spaces.units import format_bytes, format_count

if TYPE_CHECKING:
    from scaling.grid_plan import Plan

DESCRIPTION = (
    "Grid search for the coefficients of compound scaling: all alpha, beta, gamma with alpha * beta^2 * gamma^2 near 2 "
    "are applied to a baseline, the different networks are trained on your images at equal cost, each with the same "
    "seeds, on Ray Tune workers; the answer is the best, all that cannot be told from it, and a fitted law. The same "
    "command goes on where an earlier one was ended."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    from scaling.grid_plan import prepare
    from studies.reruns import finished_report

    config = commandline.parse(GridConfig, argv, prog="python -m scaling.grid", description=DESCRIPTION)
    plan = prepare(config)
    if config.dry_run:
        from scaling.grid_report import describe_plan

        print(describe_plan(plan))
        return 0
    if not config.new and (said := finished_report(config.run, settings(config), free=FREE, size=SIZE)) is not None:
        print(f"{said}; more --seeds go on with it.")
        return 0
    search(plan)
    return 0


def search(plan: Plan) -> None:
    """Run the grid in its folder and print the answer."""
    from rich.console import Console

    from scaling.experiment import Experiment
    from scaling.grid_files import write_files
    from scaling.grid_report import report
    from scaling.grid_run import carry_out
    from studies.data import load
    from studies.reruns import REPORT, check_ledger, open_run

    config = plan.config
    data = load(config.dataset, seed=config.seed, validation=config.validation or None, root=config.data_root)
    check_ledger(config.run, new=config.new)
    with open_run(config.run, settings(config), "scaling.grid", seed=config.seed, new=config.new, free=FREE) as run:
        console = Console(highlight=False)
        console.print(data.describe())
        console.print(plan.ground.describe(), soft_wrap=True)
        console.print(plan.field.describe(), soft_wrap=True)
        workers = plan.resources.workers if plan.resources else None
        experiment = Experiment(config, config.identity(), run, console, data, workers)
        try:
            outcome = carry_out(plan, experiment)
        except KeyboardInterrupt:
            same = "the same command" + (" without --new" if config.new else "")
            raise KeyboardInterrupt(f"{same} goes on where this one ended") from None
        write_files(outcome, run)
        text = report(outcome, run.folder)
        run.write(REPORT, text + "\n")
    print(f"\n{text}")


def settings(config: GridConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    flops = None if config.flops is None else format_count(config.flops)
    memory = None if config.memory is None else format_bytes(config.memory)
    return commandline.plain(dataclasses.replace(config, new=False, max_flops=flops, max_memory=memory))


if __name__ == "__main__":
    sys.exit(commandline.run(main))

"""Find alpha, beta, gamma on your own data: `python -m scaling.grid --phi 1`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scaling.grid.config import EXTENDABLE, RESUMABLE, GridConfig
from search_spaces.common import cli
from search_spaces.common.settings import own_code

if TYPE_CHECKING:
    from scaling.grid.plan import GridPlan

DESCRIPTION = (
    "Grid search for the coefficients of compound scaling. All alpha, beta, gamma with alpha * beta^2 * gamma^2 near 2 "
    "are applied to a baseline. The different networks are matched to the same FLOPs and trained on your images with "
    "the same seeds, on Ray Tune workers. The result is the best network, all that are not significantly different "
    "from it, and a fitted law. The same command resumes an interrupted run."
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
    if not config.new:
        finished = finished_report(
            config.run, config.settings(), resumable=RESUMABLE, extendable=EXTENDABLE, code=own_code(config)
        )
        if finished is not None:
            print(f"{finished}; more --seeds extend it.")
            return 0
    _run(plan)
    return 0


def _run(plan: GridPlan) -> None:
    from scaling.experiment.command import run_experiment
    from scaling.experiment.trainings import Experiment
    from scaling.grid.files import write_files
    from scaling.grid.report import report
    from scaling.grid.run import run_grid

    def work(experiment: Experiment) -> str:
        result = run_grid(plan, experiment)
        write_files(result, experiment.run)
        return report(result, experiment.run.folder)

    about = f"{plan.baseline.describe()}\n{plan.grid.describe()}"
    run_experiment(work, plan, "scaling.grid", resumable=RESUMABLE, about=about)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))

"""Compare growing one dimension with growing all, at equal cost: `python -m scaling.curves`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.curves.config import RESUMABLE, CurvesConfig
from search_spaces.common import cli

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.curves.plan import CurvesPlan
    from studies.data.dataset import Dataset
    from studies.runs.folder import RunFolder

DESCRIPTION = (
    "Scaling curves: a baseline grown in depth, width or resolution alone and by compound scaling, every network "
    "closed to the same FLOPs and trained with the same seeds on your images; accuracy on test images, latency, "
    "differences with intervals, and a fitted law. The same command goes on where an earlier one was ended; more "
    "strategies, multiples or seeds join the networks that are there."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = cli.parse(CurvesConfig, argv, prog="python -m scaling.curves", description=DESCRIPTION)

    from scaling.curves.plan import prepare
    from studies.runs.command import REPORT, finished_report

    plan = prepare(config)
    if config.dry_run:
        from scaling.curves.report import describe_plan

        print(describe_plan(plan))
        return 0
    # What grows a run is compared, all else that is free is not.
    free = RESUMABLE - {"strategies", "multiples", "coefficients", "main_seeds", "raw", "most", "seeds"}
    again = config.new or is_newer(config.coefficients, Path(config.run) / REPORT)
    if not again and (said := finished_report(config.run, settings(config), free=free, size=())) is not None:
        print(f"{said}; more strategies, multiples or seeds go on with it.")
        return 0
    compare(plan)
    return 0


def is_newer(coefficients: str, report: Path) -> bool:
    """Whether a coefficients file, if one is given, was written after the report."""
    return bool(coefficients) and report.exists() and Path(coefficients).stat().st_mtime > report.stat().st_mtime


def compare(plan: CurvesPlan) -> None:
    """Train the curves' networks in the run's folder and print what they say."""
    from scaling.curves.files import write_files
    from scaling.curves.report import report
    from scaling.curves.run import carry_out
    from scaling.experiment.trainings import Experiment
    from studies.runs.command import run_command

    config = plan.config

    def work(run: RunFolder, console: Console, data: Dataset) -> str:
        console.print(plan.baseline.describe(), soft_wrap=True)
        workers = plan.resources.workers if plan.resources else None
        outcome = carry_out(plan, Experiment(config, config.identity(), run, console, data, workers))
        write_files(outcome, run)
        return report(outcome, run.folder)

    run_command(work, config, settings(config), "scaling.curves", free=RESUMABLE, validation=config.validation)


def settings(config: CurvesConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    return cli.plain(dataclasses.replace(config, new=False))


if __name__ == "__main__":
    sys.exit(cli.run(main))

"""Compare growing one dimension with growing all, at equal cost: `python -m scaling.curves`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.curves.config import RESUMABLE, CurvesConfig
from search_spaces.common import cli
from search_spaces.common.settings import own_code

if TYPE_CHECKING:
    from scaling.curves.plan import CurvesPlan

DESCRIPTION = (
    "Scaling curves: a baseline grown in depth, width or resolution alone and by compound scaling. All networks are "
    "matched to the same FLOPs and trained with the same seeds on your images. The result is accuracy on test images, "
    "latency, differences with confidence intervals, and a fitted law. The same command resumes an interrupted run; "
    "more strategies, multiples or seeds extend a finished one."
)
# These extend a run, so a finished run must have the same values.
COMPARED = frozenset({"strategies", "multiples", "coefficients", "main_seeds", "raw", "most", "seeds"})


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
    if not config.new and not _is_newer(config.coefficients, Path(config.run) / REPORT):
        finished = finished_report(config.run, config.settings(), resumable=RESUMABLE - COMPARED, code=own_code(config))
        if finished is not None:
            print(f"{finished}; more strategies, multiples or seeds extend it.")
            return 0
    _run(plan)
    return 0


def _is_newer(coefficients: str, report: Path) -> bool:
    """Whether a coefficients file, if one is given, was written after the report."""
    return bool(coefficients) and report.exists() and Path(coefficients).stat().st_mtime > report.stat().st_mtime


def _run(plan: CurvesPlan) -> None:
    from scaling.curves.analysis import analyse
    from scaling.curves.files import write_files
    from scaling.curves.report import report
    from scaling.curves.run import run_curves
    from scaling.experiment.command import run_experiment
    from scaling.experiment.trainings import Experiment

    def work(experiment: Experiment) -> str:
        result = run_curves(plan, experiment)
        analysis = analyse(result)
        write_files(result, analysis, experiment.run)
        return report(result, analysis, experiment.run.folder)

    run_experiment(work, plan, "scaling.curves", resumable=RESUMABLE, about=plan.baseline.describe())


if __name__ == "__main__":
    raise SystemExit(cli.run(main))

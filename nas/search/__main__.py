"""Search a baseline network at a target cost: `python -m nas.search --target-flops 400M`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas.search.config import RESUMABLE, SearchConfig
from nas.search.plan import SearchPlan, check, describe, finished, warning
from search_spaces.common import cli
from search_spaces.common.settings import own_code
from search_spaces.networks.registry import own_operators
from search_spaces.spaces.registry import operators_of

if TYPE_CHECKING:
    from rich.console import Console

    from studies.data.dataset import Dataset
    from studies.runs.folder import RunFolder

DESCRIPTION = (
    "Search a baseline network near a target cost: candidates from a search space are trained as small proxies on your "
    "images, on Ray Tune workers; the best are trained longer, with more than one seed; the winner is written as a "
    "file. The same command resumes an interrupted run."
)


def search(config: SearchConfig, plan: SearchPlan) -> None:
    """Run the search in its folder and print the result."""
    from nas.search.analysis import conclude
    from nas.search.files import write_files
    from nas.search.gains import judge_all
    from nas.search.report import report
    from nas.search.run import SearchRun
    from studies.runs.command import run_command
    from studies.runs.folder import Status
    from studies.workers.pool import WorkerPool

    region, controls, asked = plan.region, plan.controls, config.controls
    operators = (*operators_of(region.space), *own_operators(*(control.arch for control in controls.all)))
    code = tuple(dict.fromkeys((*own_code(config), *operators)))

    def work(run: RunFolder, console: Console, data: Dataset) -> str:
        if warned := warning(config, len(data.train)):
            console.print(warned, soft_wrap=True)
        with WorkerPool(config.workers, plan.workers, config.ray_folder, code) as pool:
            session = SearchRun(config, region, run, console, data, pool, controls)
            records = [] if asked.only else session.search()
            trainings = session.final(records)
        judged = judge_all(trainings, controls, config.objective_function, only=asked.only, adopt=asked.adopt)
        if judged is None:
            what = "control" if asked.only else "finalist"
            raise ValueError(f"no {what} was trained to the end: see the outcomes in {run.path('finalists.csv')}")
        if not asked.only and sum(record.is_final for record in records) < config.trials:
            # The time budget ended first: the same command resumes the run.
            run.status = Status.INTERRUPTED
        result = conclude(session, records, *judged)
        write_files(result)
        return report(result)

    # A run with another ledger would lose the trials of its own.
    resumable = RESUMABLE - {"storage", "storage_path"}
    run_command(work, config, config.settings(), "nas.search", resumable=resumable, storage=config.storage, code=code)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = cli.parse(SearchConfig, argv, prog="python -m nas.search", description=DESCRIPTION)
    plan = check(config)
    if config.dry_run:
        print(describe(config, plan.region, plan.resources, controls=plan.controls))
        return 0
    if (text := finished(config)) is not None:
        print(text)
        return 0
    search(config, plan)
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))

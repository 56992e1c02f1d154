"""Search a baseline network at a target cost: `python -m nas.search --target-flops 400M`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas.search.config import RESUMABLE, SearchConfig
from nas.search.plan import check, finished
from search_spaces.common import cli

if TYPE_CHECKING:
    from rich.console import Console

    from nas.region import SearchRegion
    from studies.data.dataset import Dataset
    from studies.runs.folder import RunFolder

DESCRIPTION = (
    "Search a baseline network near a target cost: candidates from a search space are trained as small proxies on your "
    "images, on Ray Tune workers; the best are trained longer, with several seeds; the winner is written as a file. "
    "The same command goes on where an earlier one was ended."
)


def search(config: SearchConfig, region: SearchRegion, workers: int | None) -> None:
    """Run the search in its folder and print the result; `workers` side by side, where that is known."""
    from nas.search.files import conclude
    from nas.search.finalists import judge
    from nas.search.plan import warning
    from nas.search.report import report
    from nas.search.run import SearchRun
    from studies.runs.command import run_command
    from studies.runs.folder import Status

    def work(run: RunFolder, console: Console, data: Dataset) -> str:
        if warned := warning(config, len(data.train)):
            console.print(warned, soft_wrap=True)
        session = SearchRun(config, region, run, console, data, workers)
        records = session.search()
        verdict = judge(session.final(records), config.objective_function)
        if verdict is None:
            raise ValueError(f"no finalist was trained to the end: see the outcomes in {run.path('finalists.csv')}")
        if sum(record.is_final for record in records) < config.trials:
            # The time budget was over first: the same command has something left to do.
            run.status = Status.INTERRUPTED
        return report(conclude(session, records, verdict))

    # With another ledger the trials of the old one would be out of sight.
    resumable = RESUMABLE - {"storage", "storage_path"}
    run_command(work, config, config.settings(), "nas.search", resumable=resumable, storage=config.storage)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = cli.parse(SearchConfig, argv, prog="python -m nas.search", description=DESCRIPTION)
    region, resources = check(config)
    if config.dry_run:
        from nas.search.plan import describe

        print(describe(config, region, resources))
        return 0
    if (shown := finished(config)) is not None:
        print(shown)
        return 0
    search(config, region, resources.workers if resources else None)
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))

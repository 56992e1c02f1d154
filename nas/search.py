"""Search a baseline network at a target cost: `python -m nas.search --target-flops 400M`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nas.config import FREE, SIZE, SearchConfig
from search_spaces import commandline
from search_spaces.units import format_count

if TYPE_CHECKING:
    from rich.console import Console

    from nas.candidates import Field
    from studies.data import Dataset
    from studies.execution import Resources
    from studies.runs import Run

DESCRIPTION = (
    "Search a baseline network near a target cost: candidates from a search space are trained as small proxies on your "
    "images, on Ray Tune workers; the best are trained longer, with several seeds; the winner is written as a file. "
    "The same command goes on where an earlier one was ended."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = commandline.parse(SearchConfig, argv, prog="python -m nas.search", description=DESCRIPTION)
    field, resources = check(config)
    if config.dry_run:
        from nas.plan import describe

        print(describe(config, field, resources))
        return 0
    if (shown := finished(config)) is not None:
        print(shown)
        return 0
    search(config, field, resources.workers if resources else None)
    return 0


def check(config: SearchConfig) -> tuple[Field, Resources | None]:
    """Everything that can be found wrong before compute is spent: data set, target, band, resources.

    What a cluster has is known only once it is joined.
    """
    from nas.candidates import Field
    from nas.steps import baseline_of, check_steps
    from studies.datasets import class_count
    from studies.execution import settle_here
    from studies.progressive import check_sizes
    from studies.recipes import get_recipe

    field, resources = Field.of(config, class_count(config.dataset)), settle_here(config.execution)
    # All networks of a space have its reference's strides.
    recipe = config.proxy.recipe(get_recipe(config.recipe))
    check_sizes(recipe, config.proxy.arch(baseline_of(field)), "proxy.resolution")
    if config.aim.needs_step_times:
        check_steps(config, field, resources)
    return field, resources


def finished(config: SearchConfig) -> str | None:
    """What a finished run of this size, or a greater one, said; None where there is something to do."""
    from studies.reruns import finished_report

    if config.new:
        return None
    said = finished_report(config.run, _settings(config), free=FREE, size=SIZE)
    return said and f"{said}; a higher --trials goes on with it."


def search(config: SearchConfig, field: Field, workers: int | None) -> None:
    """Run the search in its folder and print the result; `workers` side by side, where that is known."""
    from nas.finalists import judge
    from nas.plan import warning
    from nas.present import report
    from nas.result import conclude
    from nas.session import Session
    from studies.conduct import conduct
    from studies.runs import Status

    def work(run: Run, console: Console, data: Dataset) -> str:
        if warned := warning(config, len(data.train)):
            console.print(warned, soft_wrap=True)
        session = Session(config, field, run, console, data, workers)
        records = session.search()
        verdict = judge(session.final(records), config.aim)
        if verdict is None:
            raise ValueError(f"no finalist was trained to the end: see the outcomes in {run.path('finalists.csv')}")
        if sum(record.is_final for record in records) < config.trials:
            # The time budget was over first: the same command has something left to do.
            run.status = Status.INTERRUPTED
        return report(conclude(session, records, verdict))

    # With another ledger the trials of the old one would be out of sight.
    free = FREE - {"storage", "storage_path"}
    conduct(work, config, _settings(config), "nas.search", free=free, storage=config.storage)


def _settings(config: SearchConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    target = format_count(config.target)
    normal = dataclasses.replace(config, new=False, target_flops=target, strategy=config.sampler)
    return config.said(commandline.plain(normal))


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))

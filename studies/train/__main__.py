"""Train a network on your images: `python -m studies.train --arch runs/search/best.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search_spaces.common import cli
from search_spaces.common.settings import own_code
from search_spaces.networks.registry import own_operators
from studies.train.config import EXTENDABLE, RESUMABLE, TrainConfig

if TYPE_CHECKING:
    from rich.console import Console

    from studies.data.dataset import Dataset
    from studies.runs.folder import RunFolder
    from studies.train.plan import TrainPlan

DESCRIPTION = (
    "Train a network that a search found, or a published one, on your images: in this process, or on several workers "
    "that share every batch (Ray Train). Top-1 and top-5 accuracy on the test images are computed once, at the end. "
    "The weights are files you can load. Run the same command again to resume."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    config = cli.parse(TrainConfig, argv, prog="python -m studies.train", description=DESCRIPTION)

    from studies.runs.command import finished_report

    if not config.new and not config.dry_run:
        asked, code = config.settings(), own_code(config)
        resumable = RESUMABLE - EXTENDABLE
        said = finished_report(config.run, asked, resumable=resumable, extendable=EXTENDABLE, code=code)
        if said is not None:
            print(f"{said}; more --seeds extend it.")
            return 0
    from studies.train.plan import describe_plan, prepare

    plan = prepare(config)
    if config.dry_run:
        print(describe_plan(plan))
        return 0
    train_network(plan)
    return 0


def train_network(plan: TrainPlan) -> None:
    """Train in the run's folder and print the result."""
    from studies.data.dataset import check_images
    from studies.runs.command import run_command
    from studies.train.plan import describe_network, describe_recipe
    from studies.train.report import report, write_result
    from studies.train.run import run_trainings

    config = plan.config

    def work(run: RunFolder, console: Console, data: Dataset) -> str:
        for line in (describe_network(plan.arch), describe_recipe(plan), *plan.notes):
            console.print(line, soft_wrap=True)
        trained = run_trainings(plan, run, console, data)
        write_result(plan, trained, run)
        return report(plan, trained, run)

    def check(data: Dataset) -> None:
        check_images(config.images, data)

    run_command(
        work,
        config,
        config.settings(),
        "studies.train",
        resumable=RESUMABLE,
        validation=config.validation,
        check=check,
        code=(*own_code(config), *own_operators(plan.arch)),
    )


if __name__ == "__main__":
    raise SystemExit(cli.run(main))

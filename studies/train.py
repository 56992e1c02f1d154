"""Train a network on your images: `python -m studies.train --arch runs/search/best.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from search_spaces import commandline
from studies.train_config import FREE, SIZE, TrainConfig

if TYPE_CHECKING:
    from rich.console import Console

    from studies.data import Dataset
    from studies.runs import Run
    from studies.train_plan import Plan

DESCRIPTION = (
    "Train a network that a search found, or a published one, on your images: in this process, or on several workers "
    "that share every batch (Ray Train). Top-1 and top-5 on the test images are looked at once, at the end; the "
    "weights are files you can load. The same command goes on where an earlier one was ended."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    from studies.reruns import finished_report

    config = commandline.parse(TrainConfig, argv, prog="python -m studies.train", description=DESCRIPTION)
    if not config.new and not config.dry_run:
        said = finished_report(config.run, settings(config), free=FREE - SIZE, size=SIZE)
        if said is not None:
            print(f"{said}; more --seeds go on with it.")
            return 0
    from studies.train_plan import describe_plan, prepare

    plan = prepare(config)
    if config.dry_run:
        print(describe_plan(plan))
        return 0
    train_network(plan)
    return 0


def train_network(plan: Plan) -> None:
    """Train in the run's folder and print the result."""
    from studies.conduct import conduct
    from studies.data import check_images
    from studies.train_plan import describe_network, describe_recipe
    from studies.train_report import report, write_result
    from studies.train_run import carry_out

    config = plan.config

    def work(run: Run, console: Console, data: Dataset) -> str:
        for line in (describe_network(plan.arch), describe_recipe(plan), *plan.notes):
            console.print(line, soft_wrap=True)
        trained = carry_out(plan, run, console, data)
        write_result(plan, trained, run)
        return report(plan, trained, run)

    def check(data: Dataset) -> None:
        check_images(config.images, data)

    conduct(work, config, settings(config), "studies.train", free=FREE, validation=config.validation, check=check)


def settings(config: TrainConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    return commandline.plain(dataclasses.replace(config, new=False))


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))

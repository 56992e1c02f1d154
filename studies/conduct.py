"""How the commands conduct a run: images read, the folder opened, the work done, its report written and printed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from rich.console import Console

from studies.data import Dataset, load
from studies.reruns import REPORT, check_ledger, open_run
from studies.runs import Run

Work = Callable[[Run, Console, Dataset], str]
"""Does what a command is for in its run folder and returns the report for people, without a line break at the end."""


class RunConfig(Protocol):
    """The settings that every command with a run folder has."""

    @property
    def dataset(self) -> str: ...
    @property
    def data_root(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def run(self) -> str: ...
    @property
    def new(self) -> bool: ...


def conduct(
    work: Work,
    config: RunConfig,
    settings: Mapping[str, Any],
    module: str,
    *,
    free: Collection[str],
    validation: int = 0,
    storage: str | None = None,
    check: Callable[[Dataset], None] | None = None,
) -> None:
    """Do a command's work in its run folder; write its report to result.txt and print it.

    Args:
        work: what is done once the folder is open; it sets the run's status where that is not to be finished
        config: where the images and the folder are
        settings: plain YAML values that reproduce the run
        module: the command, such as nas.search
        free: names of the settings that may differ from those of the run that is gone on with
        validation: images held out of training; 0 is a fifth, at most 10 000
        storage: Optuna storage URL of the ledger, where it is not in the run folder
        check: raises ValueError where the images do not allow what the settings ask for

    Raises ValueError for images that cannot be read, a broken ledger or another run's folder, before anything is
    written; a KeyboardInterrupt of the work says how to go on.

    """
    data = load(config.dataset, seed=config.seed, validation=validation or None, root=config.data_root)
    if check is not None:
        check(data)
    check_ledger(config.run, new=config.new, storage=storage)
    with open_run(config.run, settings, module, seed=config.seed, new=config.new, free=free) as run:
        console = Console(highlight=False)
        console.print(data.describe(), soft_wrap=True)
        try:
            text = work(run, console, data)
        except KeyboardInterrupt:
            same = "the same command" + (" without --new" if config.new else "")
            raise KeyboardInterrupt(f"{same} goes on where this one ended") from None
        run.write(REPORT, text + "\n")
    print(f"\n{text}")

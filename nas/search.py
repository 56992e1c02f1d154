"""Search a baseline network at a target cost: `python -m nas.search --target-flops 400M`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.config import FREE, SIZE, SearchConfig
from search_spaces import commandline

if TYPE_CHECKING:
    from nas.candidates import Field
    from studies.execution import Resources
    from studies.runs import Run

REPORT, LEDGER = "result.txt", "ledger.db"
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
    search(config, field)
    return 0


def check(config: SearchConfig) -> tuple[Field, Resources]:
    """Everything that can be found wrong before compute is spent: data set, target, band, resources."""
    from nas.candidates import Field
    from studies.datasets import class_count
    from studies.execution import available_cores, gpus_here, settle

    field = Field.of(config, class_count(config.dataset))
    if config.ray_address:
        return field, settle(config.execution, sys.maxsize, sys.maxsize)
    gpus = 0.0 if config.gpus_per_trial == 0 else gpus_here()
    return field, settle(config.execution, available_cores(), gpus)


def finished(config: SearchConfig) -> str | None:
    """What a finished run of just this size said, and how to go on; None where there is something to do."""
    import yaml

    from studies.runs import CONFIG

    folder = Path(config.run)
    if config.new or not (folder / REPORT).exists() or not (folder / CONFIG).exists():
        return None
    try:
        there = yaml.safe_load((folder / CONFIG).read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"cannot read {folder / CONFIG}: {error}; --new begins anew") from None
    if not isinstance(there, dict) or any(
        there.get(name) != value for name, value in _settings(config).items() if name not in FREE - SIZE
    ):
        return None
    return (
        f"{(folder / REPORT).read_text()}\nThis run was finished before; nothing was trained now. --new begins anew "
        f"(the old run is kept under another name); a higher --trials than {config.trials} goes on with it."
    )


def search(config: SearchConfig, field: Field) -> None:
    """Run the search in its folder and print the result."""
    from rich.console import Console

    from nas.finalists import judge
    from nas.present import report
    from nas.result import conclude
    from nas.session import Session
    from studies.data import load

    data = load(config.dataset, seed=config.seed, root=config.data_root)
    check_ledger(config)
    with open_run(config) as run:
        console = Console(highlight=False)
        console.print(data.describe())
        session = Session(config, field, run, console)
        try:
            records = session.search()
            trainings = session.final(records)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("the same command goes on where this one ended") from None
        verdict = judge(trainings, config.aim)
        if verdict is None:
            raise ValueError(f"no finalist was trained to the end: see the outcomes in {run.path('finalists.csv')}")
        text = report(conclude(session, records, verdict))
        run.write(REPORT, text + "\n")
    print(f"\n{text}")


def check_ledger(config: SearchConfig) -> None:
    """Raise ValueError for a ledger that is no ledger, before the run folder is touched."""
    from studies.storage import open_storage, sqlite_url

    ledger = Path(config.run) / LEDGER
    if config.storage or (ledger.exists() and not config.new):
        _, close = open_storage(config.storage or sqlite_url(ledger))
        close()


def open_run(config: SearchConfig) -> Run:
    """The run's folder, locked: a new one, or one to go on in."""
    from studies.runs import Existing, Run

    return Run.open(
        config.run,
        _settings(config),
        command=[sys.executable, "-m", "nas.search", *sys.argv[1:]],
        seed=config.seed,
        existing=Existing.ANEW if config.new else Existing.CONTINUE,
        # With another ledger the trials of the old one would be out of sight.
        free=FREE - {"storage", "storage_path"},
    )


def _settings(config: SearchConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    return commandline.plain(dataclasses.replace(config, new=False))


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))

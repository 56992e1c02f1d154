"""Search a baseline network at a target cost: `python -m nas.search --target-flops 400M`."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.config import FREE, SIZE, SearchConfig
from search_spaces import commandline
from search_spaces.units import format_count

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
    search(config, field, resources.workers if resources else None)
    return 0


def check(config: SearchConfig) -> tuple[Field, Resources | None]:
    """Everything that can be found wrong before compute is spent: data set, target, band, resources.

    What a cluster has is known only once it is joined.
    """
    from nas.candidates import Field
    from studies.datasets import class_count
    from studies.execution import available_cores, gpus_here, settle

    field = Field.of(config, class_count(config.dataset))
    if config.ray_address:
        from studies.cluster import knock

        knock(config.ray_address)
        return field, None
    gpus = 0.0 if config.gpus_per_trial == 0 else gpus_here()
    return field, settle(config.execution, available_cores(), gpus)


def finished(config: SearchConfig) -> str | None:
    """What a finished run of this size, or a greater one, said; None where there is something to do."""
    import yaml

    from studies.runs import CONFIG, Status, read_manifest

    folder = Path(config.run)
    if config.new or not (folder / REPORT).exists() or not (folder / CONFIG).exists():
        return None
    if read_manifest(folder)["status"] != Status.FINISHED:
        return None
    try:
        there = yaml.safe_load((folder / CONFIG).read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"cannot read {folder / CONFIG}: {error}; --new begins anew") from None
    if not isinstance(there, dict) or not _covers(there, _settings(config)):
        return None
    return (
        f"{(folder / REPORT).read_text()}\nThis run was finished before; nothing was trained now. --new begins anew "
        f"(the old run is kept under another name); a higher --trials than {there['trials']} goes on with it."
    )


def _covers(there: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a run with the settings `there` has all that is asked for."""
    enough = all(there.get(name, 0) >= asked[name] for name in SIZE)
    return enough and all(there.get(name) == value for name, value in asked.items() if name not in FREE)


def search(config: SearchConfig, field: Field, workers: int | None) -> None:
    """Run the search in its folder and print the result; `workers` side by side, where that is known."""
    from rich.console import Console

    from nas.finalists import judge
    from nas.present import report
    from nas.result import conclude
    from nas.session import Session
    from studies.data import load
    from studies.runs import Status

    data = load(config.dataset, seed=config.seed, root=config.data_root)
    check_ledger(config)
    with open_run(config) as run:
        console = Console(highlight=False)
        console.print(data.describe())
        session = Session(config, field, run, console, data, workers)
        try:
            records = session.search()
            verdict = judge(session.final(records), config.aim)
            if verdict is None:
                raise ValueError(f"no finalist was trained to the end: see the outcomes in {run.path('finalists.csv')}")
            text = report(conclude(session, records, verdict))
        except KeyboardInterrupt:
            same = "the same command" + (" without --new" if config.new else "")
            raise KeyboardInterrupt(f"{same} goes on where this one ended") from None
        run.write(REPORT, text + "\n")
        if sum(record.is_final for record in records) < config.trials:
            # The time budget was over first: the same command has something left to do.
            run.status = Status.INTERRUPTED
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
        command=[sys.executable, "-m", "nas.search", *(_hidden(word) for word in sys.argv[1:])],
        seed=config.seed,
        existing=Existing.ANEW if config.new else Existing.CONTINUE,
        # With another ledger the trials of the old one would be out of sight.
        free=FREE - {"storage", "storage_path"},
    )


def _settings(config: SearchConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    return commandline.plain(dataclasses.replace(config, new=False, target_flops=format_count(config.target)))


def _hidden(word: str) -> str:
    """A word of the command line without a database's password."""
    return re.sub(r"(://[^:/@]*):[^/@]*@", r"\1:***@", word)


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))

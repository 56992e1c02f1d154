"""Commands with a run folder: they read images, open the folder, work and report, or show a finished run's report."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from search_spaces.common.differences import differences
from search_spaces.common.settings import value_at, without
from search_spaces.common.user_code import digests
from studies.data.config import DataConfig
from studies.data.dataset import Dataset
from studies.data.load import load_configured
from studies.runs.folder import CONFIG, LEDGER, RunFolder, Status, check_code, read_config, read_manifest

Work = Callable[[RunFolder, Console, Dataset], str]
"""The work of a command in its run folder. Returns the report for people, without a line break at the end."""

REPORT = "result.txt"


class RunConfig(Protocol):
    """The settings that every command with a run folder has."""

    @property
    def data(self) -> DataConfig: ...
    @property
    def seed(self) -> int: ...
    @property
    def run(self) -> str: ...
    @property
    def new(self) -> bool: ...


def run_command(
    work: Work,
    config: RunConfig,
    settings: Mapping[str, Any],
    module: str,
    *,
    resumable: Collection[str],
    validation: int = 0,
    storage: str | None = None,
    check: Callable[[Dataset], None] | None = None,
    code: Collection[str] = (),
) -> None:
    """Do a command's work in its run folder; write its report to result.txt and print it.

    Args:
        work: runs once the folder is open; sets the run's status if that is not to be "finished"
        config: names the images and the folder
        settings: plain YAML values that reproduce the run
        module: the command, such as nas.search
        resumable: dotted names of settings, or of groups, that may differ when a run is resumed
        validation: images held out of training; 0 is a fifth, at most 10 000
        storage: Optuna storage URL of the ledger, if it is not in the run folder
        check: raises ValueError if the images do not fit the settings
        code: the user's own code that the settings name, as module:name; a run resumes only with the same

    Raises ValueError before anything is written, and a KeyboardInterrupt of the work with the way to resume.

    """
    digested = digests(code)
    data = load_configured(config.data, seed=config.seed, validation=validation)
    if check is not None:
        check(data)
    check_ledger(config.run, new=config.new, storage=storage)
    with open_run(
        config.run, settings, module, seed=config.seed, new=config.new, resumable=resumable, code=digested
    ) as run:
        console = Console(highlight=False)
        console.print(data.describe(), soft_wrap=True)
        try:
            text = work(run, console, data)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"run the same command{' without --new' if config.new else ''} to resume") from None
        run.write(REPORT, text + "\n")
    print(f"\n{text}")


def finished_report(
    folder: str | Path,
    asked: Mapping[str, Any],
    *,
    resumable: Collection[str],
    extendable: Collection[str] = (),
    code: Collection[str] = (),
) -> str | None:
    """The report of a run that has finished with the settings `asked`; None if there is something to do.

    Settings and groups named in `resumable` may differ; settings named in `extendable` may be larger in the run. `code`
    names the user's own code, as module:name. Raises ValueError if the run's manifest or configuration cannot be read,
    or if the run was made with other code.
    """
    path = Path(folder)
    if not (path / REPORT).exists() or not (path / CONFIG).exists():
        return None
    if read_manifest(path)["status"] != Status.FINISHED:
        return None
    if not _covers(read_config(path), asked, resumable, extendable):
        return None
    check_code(path, digests(code))
    return (
        f"{(path / REPORT).read_text()}\nThis run was finished before; nothing was trained now. --new starts a "
        "new run (the old one is kept under another name)"
    )


def check_ledger(folder: str | Path, *, new: bool, storage: str | None = None) -> None:
    """Raise ValueError if the ledger to resume, or that in `storage`, cannot be opened; the folder is not changed."""
    from studies.ledger.storage import open_storage, sqlite_url

    ledger = Path(folder) / LEDGER
    if storage or (ledger.exists() and not new):
        _, close = open_storage(storage or sqlite_url(ledger))
        close()


def open_run(
    folder: str | Path,
    settings: Mapping[str, Any],
    module: str,
    *,
    seed: int,
    new: bool,
    resumable: Collection[str],
    code: Mapping[str, str] | None = None,
) -> RunFolder:
    """The run's folder, locked: a new one, or that of a run to resume. `module` is the command, such as nas.search."""
    return RunFolder.open(
        folder,
        settings,
        command=[sys.executable, "-m", module, *(_without_password(word) for word in sys.argv[1:])],
        seed=seed,
        new=new,
        resumable=resumable,
        code=code,
    )


def _covers(
    recorded: Mapping[str, Any], asked: Mapping[str, Any], resumable: Collection[str], extendable: Collection[str]
) -> bool:
    """Whether a run with the settings `recorded` has everything that is asked for."""
    others = {*resumable, *extendable}
    return all((value_at(recorded, name) or 0) >= value_at(asked, name) for name in extendable) and not any(
        differences(without(recorded, others), without(asked, others))
    )


def _without_password(word: str) -> str:
    """A word of the command line; the password in a database's URL is hidden."""
    return re.sub(r"(://[^:/@]*):[^/@]*@", r"\1:***@", word)

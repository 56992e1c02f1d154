"""Compare cheap trainings on your images: `python -m nas.proxy`; see docs/search.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nas.proxy.config import EXTENDABLE, RESUMABLE, ProxyConfig
from nas.proxy.plan import describe, prepare
from search_spaces.common import cli
from search_spaces.common.settings import own_code
from search_spaces.networks.registry import own_operators

if TYPE_CHECKING:
    from rich.console import Console

    from search_spaces.networks.arch import Arch
    from studies.data.dataset import Dataset
    from studies.runs.folder import RunFolder
    from studies.workers.protocol import Evaluate

DESCRIPTION = (
    "Compare cheap trainings (proxies) with a reference training on networks spread over a cost band: how well each "
    "ranks them and at what price, beside multiply-adds, parameters and zero-cost proxies. The cheapest trusted proxy "
    "is written as a file for nas.search --config. The same command resumes an interrupted study; with more networks "
    "or proxies it extends a finished one."
)


def study(
    config: ProxyConfig, archs: Sequence[Arch], workers: int | None, train: Evaluate | None, score: Evaluate | None
) -> None:
    """Train what is missing in the run's folder, compare, and print what comes out."""
    from nas.proxy.analysis import conclude
    from nas.proxy.files import write_files
    from nas.proxy.report import report
    from nas.proxy.run import ProxyStudy
    from studies.runs.command import run_command
    from studies.runs.folder import Status
    from studies.workers.pool import WorkerPool

    code = (*own_code(config), *own_operators(*archs))

    def work(run: RunFolder, console: Console, data: Dataset) -> str:
        with WorkerPool(config.workers, workers, code=code) as pool:
            proxies = ProxyStudy(config, archs, run, console, data, pool)
            proxies = replace(proxies, train=train or proxies.train, score=score)
            records = proxies.carry_out()
        result = conclude(proxies, records)
        write_files(result)
        text = report(result)
        if proxies.is_complete(records):
            return text
        run.status = Status.INTERRUPTED
        return f"{text}\n\nThe time budget ended before all was trained; run the same command again to resume."

    run_command(work, config, config.settings(), "nas.proxy", resumable=RESUMABLE, code=code)


def main(argv: Sequence[str], *, train: Evaluate | None = None, score: Evaluate | None = None) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written.

    `train` and `score` may take the place of what workers do with a network (see `ProxyStudy`).
    """
    config = cli.parse(ProxyConfig, argv, prog="python -m nas.proxy", description=DESCRIPTION)

    from studies.runs.command import finished_report

    archs, resources = prepare(config)
    if config.dry_run:
        from studies.data.load import load_configured

        data = load_configured(config.data, seed=config.seed)
        print(describe(config, archs, len(data.train)))
        return 0
    resumable = RESUMABLE - EXTENDABLE
    text = (
        None
        if config.new
        else finished_report(config.run, config.settings(), resumable=resumable, code=own_code(config))
    )
    if text is not None:
        print(f"{text}; use more networks or proxies to extend it.")
        return 0
    study(config, archs, resources.workers if resources else None, train, score)
    return 0


if __name__ == "__main__":
    raise SystemExit(cli.run(main))

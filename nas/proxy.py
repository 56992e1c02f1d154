"""Which cheap training can be trusted on these images? `python -m nas.proxy`; see docs/search.md."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nas.proxies.config import FREE, GROWING, ProxyConfig
from search_spaces import commandline
from search_spaces.units import format_count

if TYPE_CHECKING:
    from rich.console import Console

    from search_spaces.arch import Arch
    from studies.data import Dataset
    from studies.execution import Resources
    from studies.runs import Run

DESCRIPTION = (
    "Compare cheap trainings (proxies) with a reference training on networks spread over a cost band: how well each "
    "ranks them, beside multiply-adds, parameters and training-free measures, and at what price. The cheapest proxy "
    "that can be trusted is written as a file for nas.search --config. The same command goes on where an earlier one "
    "was ended; more networks or proxies join those that are there."
)


def main(argv: Sequence[str]) -> int:
    """Run the command. Raises ValueError for a user's mistake, before anything is written."""
    from studies.reruns import finished_report

    config = commandline.parse(ProxyConfig, argv, prog="python -m nas.proxy", description=DESCRIPTION)
    archs, resources = prepare(config)
    if config.dry_run:
        from nas.proxies.report import describe_plan
        from studies.data import load

        data = load(config.dataset, seed=config.seed, root=config.data_root)
        print(describe_plan(config, archs, len(data.train)))
        return 0
    said = None if config.new else finished_report(config.run, _settings(config), free=FREE - GROWING, size=())
    if said is not None:
        print(f"{said}; more networks or proxies go on with it.")
        return 0
    study(config, archs, resources.workers if resources else None)
    return 0


def prepare(config: ProxyConfig) -> tuple[list[Arch], Resources | None]:
    """The sample, and the resources where they are known; raises ValueError for what can be found wrong before."""
    from nas.candidates import Field
    from nas.proxies.sample import spread
    from studies.datasets import class_count
    from studies.execution import settle_here
    from studies.progressive import check_sizes
    from studies.recipes import get_recipe

    field = Field.of(config.search(), class_count(config.dataset))
    archs = spread(field.space, field.band, config.networks, config.seed)
    # All networks of a space have the same strides.
    for proxy in config.proxies:
        check_sizes(proxy.recipe(get_recipe(config.recipe)), proxy.arch(archs[0]), "resolutions")
    against = config.against
    check_sizes(against.recipe(get_recipe(config.against_recipe)), against.arch(archs[0]), "against.resolution")
    return archs, settle_here(config.execution)


def study(config: ProxyConfig, archs: Sequence[Arch], workers: int | None) -> None:
    """Train what is missing in the run's folder, compare, and print what comes out."""
    from nas.proxies.report import report
    from nas.proxies.result import conclude, write_files
    from nas.proxies.training import ProxyStudy
    from studies.conduct import conduct
    from studies.runs import Status

    def work(run: Run, console: Console, data: Dataset) -> str:
        proxies = ProxyStudy(config, archs, run, console, data, workers)
        records = proxies.carry_out()
        result = conclude(proxies, records)
        write_files(result)
        text = report(result)
        if proxies.is_complete(records):
            return text
        run.status = Status.INTERRUPTED
        return f"{text}\n\nThe time budget was over before all was trained: the same command goes on."

    conduct(work, config, _settings(config), "nas.proxy", free=FREE)


def _settings(config: ProxyConfig) -> dict[str, Any]:
    """The configuration as it is written down: what reproduces the run."""
    return commandline.plain(dataclasses.replace(config, new=False, target_flops=format_count(config.search().target)))


if __name__ == "__main__":
    raise SystemExit(commandline.run(main))

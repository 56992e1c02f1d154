"""What a proxy study says: its plan, the table, and the recommendation in words."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from nas.proxy.compare import ProxyRow
from nas.proxy.config import MIN_NETWORKS, ProxyConfig
from nas.proxy.files import CHOSEN, NETWORKS, ROWS, SUMMARY, ProxyResult
from nas.proxy.recommend import is_as_good, is_trusted
from nas.proxy.run import different, name_of, work
from search_spaces.common.text import align_facts, pluralise
from search_spaces.common.units import format_count
from search_spaces.networks.arch import Arch
from studies.statistics.intervals import Estimate

WIDTH = 100
NOTHING = "-"


def describe_plan(config: ProxyConfig, archs: Sequence[Arch], images: int) -> str:
    """What would be trained, and how much work each proxy is beside the reference; `images` to train on there are."""
    whole = work(config.against, archs, images)
    shares = {name_of(proxy): work(proxy, archs, images) / whole for proxy in different(config.proxies, archs, images)}
    trainings = len(archs) * (config.against_seeds + len(shares))
    facts = _facts(config, len(archs)) | {
        "trainings": f"{trainings}, and {pluralise(len(archs), 'network')} measured without training",
        "proxies": "multiply-adds of training them, beside the reference's:",
    }
    plan = align_facts(facts | {f"  {name}": f"{share:.1%}" for name, share in shares.items()})
    dear = [name for name, share in shares.items() if share >= 1]
    return plan + (f"\nwarning: no cheaper than the reference: {', '.join(dear)}" if dear else "")


def report(result: ProxyResult) -> str:
    """The result as text: what was compared with what, the table, the recommendation, where everything lies."""
    parts = (_facts_of(result), _table(result), _verdict(result), _files(result))
    return "\n\n".join(filter(None, parts))


def _facts(config: ProxyConfig, networks: int) -> dict[str, str]:
    low, high = (format_count(round(factor * config.target), 4) for factor in config.cost_band)
    return {
        "images": config.dataset,
        "sample": f"{networks} networks of {low} to {high} FLOPs (multiply-adds), spread evenly",
        "reference": ", ".join(
            (name_of(config.against), f"recipe {config.against_recipe}", pluralise(config.against_seeds, "seed"))
        ),
    }


def _facts_of(result: ProxyResult) -> str:
    facts = _facts(result.study.config, len(result.study.archs))
    reference = result.reference
    if reference.scores:
        low, middle, high = np.quantile(list(reference.scores.values()), [0, 0.5, 1])
        facts["its accuracy"] = (
            f"{low:.1%} to {high:.1%}, median {middle:.1%}, of {pluralise(len(reference.scores), 'network')}"
            + (f", {reference.seconds:.3g} s each" if reference.seconds else "")
        )
    facts["trainings"] = "named by width, side of the images, epochs x images; seconds are those of one worker"
    if result.ceiling is not None:
        facts["with itself"] = f"tau {_interval(result.ceiling)} between seeds: no proxy can be expected to do better"
    if result.lost:
        facts["lost"] = ", ".join(f"{number} x {name}" for name, number in result.lost.items())
    return align_facts(facts)


def _table(result: ProxyResult) -> str:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="")
    early = any(row.early for row in result.rows)
    table.add_column("ranked by", no_wrap=True)
    names = ("networks", "tau (95 %)", *(("1st epoch",) if early else ()), "s/network", "tau/s")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("trusted", no_wrap=True)
    for before, row in zip((None, *result.rows), result.rows, strict=False):
        if before is not None and before.scored.kind != row.scored.kind:
            table.add_row("")
        table.add_row(*_cells(row, result, early))
    output = io.StringIO()
    Console(file=output, width=WIDTH).print(table)
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines())


def _cells(row: ProxyRow, result: ProxyResult, early: bool) -> list[str]:
    first = [f"{row.early.value:.2f}" if row.early else ""] if early else []
    seconds, per_second = row.scored.seconds, row.per_second
    return [
        row.scored.name,
        str(row.networks),
        _interval(row.tau) if row.tau else NOTHING,
        *first,
        f"{seconds:.3g}" if seconds is not None else "0",
        f"{per_second:.2g}" if per_second is not None else "",
        _mark(row, result),
    ]


def _mark(row: ProxyRow, result: ProxyResult) -> str:
    if row.scored.kind != "proxy" or row.tau is None:
        return ""
    if row is result.recommendation.chosen:
        return "recommended"
    return ("yes" if is_trusted(row) else "no") + ("" if is_as_good(row) else ", below best")


def _verdict(result: ProxyResult) -> str:
    found, reference = result.recommendation, result.reference
    if found.best is None:
        return (
            f"No proxy is recommended: a rank correlation needs at least {MIN_NETWORKS} networks trained under the "
            "reference and under a proxy,\nof different accuracies; the same command goes on with what is missing."
        )
    if found.chosen is None:
        return f"No proxy is recommended: {_why_none(result)}."
    seconds = found.chosen.scored.seconds
    cheaper = f", 1/{reference.seconds / seconds:.2g} of the reference's" if seconds and reference.seconds else ""
    lines = [
        f"recommended  {found.chosen.scored.name}: {seconds:.3g} s a network{cheaper}",
        f"trusted      {len(found.trusted)} of {_proxies(result)}: tau and its lead over MACs and params are above 0",
        f"             {len(found.equals)} cannot be told from the best, {found.best.scored.name} (95 %, paired)",
    ]
    return "\n".join([*lines, *_notes(result)])


def _proxies(result: ProxyResult) -> int:
    return sum(row.scored.kind == "proxy" for row in result.rows)


def _why_none(result: ProxyResult) -> str:
    found = result.recommendation
    if found.trusted:
        return "those that can be trusted rank worse than the best one, which cannot; more --networks would tell"
    return (
        "none is shown to rank networks, and better than MACs and params alone do (95 %).\n"
        "More --networks shorten the intervals; more --epochs, more --images or larger --widths make better proxies"
    )


def _notes(result: ProxyResult) -> list[str]:
    """What the numbers above do not say by themselves."""
    lines, chosen = [], result.recommendation.chosen
    assert chosen is not None
    same = chosen.scored.different
    if same is not None and same < len(result.study.archs):
        lines.append(f"note: as proxies the {len(result.study.archs)} networks are only {same} different ones")
    for row in result.rows:
        if row.scored.kind == "measure" and row.tau and chosen.tau and row.tau.value > chosen.tau.value:
            lines.append(f"note: {row.scored.name}, without training, ranks them better; nas.search cannot go by it")
    return lines


def _files(result: ProxyResult) -> str:
    run = result.study.run
    rows = {"tables": f"{run.path(ROWS)}, {run.path(NETWORKS)}", "figures": f"{run.path(SUMMARY)}"}
    if result.recommendation.chosen is not None:
        rows["search"] = f"python -m nas.search --config {run.path(CHOSEN)}"
    return align_facts(rows)


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"

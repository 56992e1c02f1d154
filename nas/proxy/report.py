"""The report of a proxy study: what was compared, the table, and the recommendation."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console
from rich.table import Table

from nas.proxy.analysis import ProxyResult
from nas.proxy.compare import ProxyRow
from nas.proxy.config import MIN_NETWORKS
from nas.proxy.files import CHOSEN, NETWORKS, ROWS, SUMMARY
from nas.proxy.plan import study_facts
from nas.proxy.recommend import is_as_good, is_trusted
from nas.zero_cost.registry import ZERO_COST_PROXIES
from search_spaces.common.text import align_facts, pluralise
from studies.statistics.intervals import Estimate

WIDTH = 100  # characters of a line
NO_TAU = "-"


def report(result: ProxyResult) -> str:
    """The result as text: what was compared, the table, the recommendation and the files."""
    parts = (_facts_of(result), _table(result), _verdict(result), _files(result))
    return "\n\n".join(filter(None, parts))


def _facts_of(result: ProxyResult) -> str:
    facts = study_facts(result.study.config, len(result.study.archs))
    reference = result.reference
    if reference.scores:
        low, middle, high = np.quantile(list(reference.scores.values()), [0, 0.5, 1])
        facts["its accuracy"] = (
            f"{low:.1%} to {high:.1%}, median {middle:.1%}, of {pluralise(len(reference.scores), 'network')}"
            + (f", {reference.seconds:.3g} s each" if reference.seconds else "")
        )
    facts["trainings"] = "named by width, image side, epochs x images; seconds are those of one worker"
    if result.ceiling is not None:
        facts["self-agreement"] = f"tau {_interval(result.ceiling)} between seeds; a proxy can hardly have a higher one"
    if result.lost:
        facts["without accuracy"] = ", ".join(f"{number} x {name}" for name, number in result.lost.items())
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
        _interval(row.tau) if row.tau else NO_TAU,
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
            f"No proxy is recommended: a rank correlation needs at least {MIN_NETWORKS} networks trained by the "
            "reference and by a proxy,\nof different accuracies. The same command trains what is missing."
        )
    if found.chosen is None:
        return f"No proxy is recommended: {_why_none(result)}."
    seconds = found.chosen.scored.seconds
    cheaper = f", 1/{reference.seconds / seconds:.2g} of the reference's" if seconds and reference.seconds else ""
    number = f"{len(found.trusted)} of {_proxies(result)}"
    lines = [
        f"recommended  {found.chosen.scored.name}: {seconds:.3g} s per network{cheaper}",
        f"trusted      {number}: tau, and its lead over {_costs(result)}, are above 0",
        f"as good      {len(found.equals)} not significantly worse than the best, {found.best.scored.name} (95 %)",
    ]
    return "\n".join([*lines, *_notes(result)])


def _proxies(result: ProxyResult) -> int:
    return sum(row.scored.kind == "proxy" for row in result.rows)


def _costs(result: ProxyResult) -> str:
    """The names of the costs that every proxy is compared with."""
    *names, last = [row.scored.name for row in result.rows if row.scored.kind == "cost"]
    return f"{', '.join(names)} and {last}"


def _why_none(result: ProxyResult) -> str:
    found = result.recommendation
    if found.trusted:
        return "every trusted proxy is significantly worse than the best one, which is not trusted; use more --networks"
    return (
        f"none ranks networks significantly better than {_costs(result)} do (95 %).\n"
        "More --networks shorten the intervals; more --epochs, more --images or larger --widths make better proxies"
    )


def _notes(result: ProxyResult) -> list[str]:
    """Notes on the recommended proxy."""
    lines, chosen = [], result.recommendation.chosen
    assert chosen is not None
    same = chosen.scored.different
    if same is not None and same < len(result.study.archs):
        lines.append(f"note: the proxies of the {len(result.study.archs)} networks are only {same} different networks")
    for row in result.rows:
        if row.scored.kind == "zero-cost" and row.tau and chosen.tau and row.tau.value > chosen.tau.value:
            label = ZERO_COST_PROXIES.row(row.scored.name).label
            lines.append(
                f"note: zero-cost proxy {row.scored.name} ({label}) ranks better, but nas.search cannot use it"
            )
    return lines


def _files(result: ProxyResult) -> str:
    run = result.study.run
    rows = {"tables": f"{run.path(ROWS)}, {run.path(NETWORKS)}", "numbers": f"{run.path(SUMMARY)}"}
    if result.recommendation.chosen is not None:
        rows["search"] = f"python -m nas.search --config {run.path(CHOSEN)}"
    return align_facts(rows)


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"

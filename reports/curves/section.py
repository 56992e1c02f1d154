"""The section on scaling curves, with the paper's own two figures (EN, Figures 3 and 4) drawn again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.axes import Axes

from reports.curves import figures as drawings
from reports.curves.data import Dot, baseline_of, conclusions_of, dots, largest, raw_curves, strategies
from reports.curves.law import law_items
from reports.curves.tables import all_networks, equal_cost, papers, side_by_side
from reports.curves.words import TERMS, headline, warnings
from reports.page.content import Figure, Section, Table
from reports.page.metrics import metric_row
from reports.page.scales import legend_beside, plain
from reports.reading.labels import labels, stems
from reports.reading.runs import Kind, RunData
from scaling.curves.conclusions import curve_name
from scaling.curves.config import BASELINE

Item = str | Figure | Table
DIMENSIONS = ("width", "depth", "resolution")
RAW_WIDTH = re.compile(r"raw width d=(\S+) r=(\S+)")


def sections(runs: Sequence[RunData]) -> list[Section]:
    """The section on all runs of scaling.curves; none where there is no such run."""
    mine = [run for run in runs if run.kind is Kind.CURVES]
    if not mine:
        return []
    found = {run.folder: dots(run) for run in mine}
    full = [run for run in mine if any(dot.curve != BASELINE for dot in found[run.folder])]
    missing = [_nothing(run) for run in mine if run not in full]
    if not full:
        return [Section("scaling", "Scaling", missing=missing)]
    data = [found[run.folder] for run in full]
    items: list[Item] = [_main(full, data)]
    warned: list[str] = []
    for run, label, own, suffix in zip(full, labels(full), data, stems("", full), strict=True):
        prefix = f"{label}: " if len(full) > 1 else ""
        items += _of_run(run, own, prefix, suffix)
        warned += [prefix + line for line in warnings(conclusions_of(run), own)]
        missing += [prefix + line for line in _absent(run, own)]
    if len(full) > 1:
        items.insert(1, side_by_side(full, labels(full), data))
    items.append(papers())
    return [Section("scaling", "Scaling", tuple(items), tuple(warned), tuple(missing), TERMS)]


def _nothing(run: RunData) -> str:
    return f"{run.folder} has no curves yet (its status: {run.status}): `{_command(run)}` resumes it"


def _absent(run: RunData, found: Sequence[Dot]) -> list[str]:
    lines = []
    if not run.result:
        lines.append(
            f"conclusions (no readable curves.json; status: {run.status}): the networks are shown without contrasts "
            f"and latencies: `{_command(run)}` resumes it"
        )
    if not any(dot.is_raw for dot in found):
        lines.append(
            "the paper's own settings (single multipliers, width curves at four depths and resolutions): "
            f"`{_command(run)} --raw`"
        )
    return lines


def _command(run: RunData) -> str:
    return f"python -m scaling.curves --config {run.folder / 'config.yaml'} --run {run.folder}"


def _of_run(run: RunData, found: Sequence[Dot], prefix: str, suffix: str) -> list[Item]:
    """Text, tables and figures of one run."""
    lines, conclusions = strategies(found), conclusions_of(run)
    items: list[Item | None] = [
        prefix + headline(run, found),
        *(prefix + line for line in (conclusions.describe_main() if conclusions else ())),
        *(prefix + line for line in (conclusions.describe_rates() if conclusions else ())),
        equal_cost(conclusions, found, prefix, suffix) if lines else None,
        _costs(lines, prefix, suffix) if lines else None,
        single_dimensions(found, prefix, suffix),
        width_curves(found, prefix, suffix),
        *law_items(run, conclusions, found, prefix, suffix),
        all_networks(found, prefix, suffix),
    ]
    return [item for item in items if item is not None]


def _main(runs: Sequence[RunData], data: Sequence[Sequence[Dot]], metric: str = "macs") -> Figure:
    """Accuracy against a metric, a panel a run."""
    row, quantity = metric_row(metric), drawings.Quantity.of_metric(metric)
    lines = [strategies(found) or raw_curves(found) for found in data]
    columns = min(2, len(runs))
    rows = -(-len(runs) // columns)
    return Figure(
        f"accuracy-{metric}",
        f"Accuracy against {row.label}, by what is grown",
        "; ".join(_caption(label, found, len(runs) > 1) for label, found in zip(labels(runs), data, strict=True))
        + ". Bars are 95 % intervals over seeds. Strategies of the same cost are drawn slightly apart so that all are "
        "visible. Hollow: input larger than the images, in no comparison and in no law.",
        f"Accuracy on test images against {row.unit}, one line a scaling strategy, from the common baseline upwards.",
        partial(_draw_main, lines, labels(runs), quantity),
        (rows, columns),
        (7.2 if columns == 1 else 10.5, 4.2 * rows),
    )


def _draw_main(
    lines: Sequence[Mapping[str, Sequence[Dot]]], names: Sequence[str], cost: drawings.Quantity, axes: Sequence[Axes]
) -> None:
    for ax, own, name in zip(axes, lines, names, strict=False):
        drawings.against_cost(own, cost, ax, apart=True, legend=False)
        if len(lines) > 1:
            ax.set_title(plain(name))
    shown = axes[: len(lines)]
    if any(ax.get_legend_handles_labels()[0] for ax in shown):
        # Runs may differ in what they grow: one legend names the strategies of all.
        legend_beside(shown[-1], shown)
    for ax in axes[len(lines) :]:
        ax.set_axis_off()


def _caption(label: str, found: Sequence[Dot], with_label: bool) -> str:
    start, most = baseline_of(found), largest(found)
    ends = {name: line[-1] for name, line in strategies(found).items() if line[-1].multiple == most}
    accuracies = [f"baseline {start.accuracy.percent}"] if start else []
    accuracies += [f"{curve_name(name)} {dot.accuracy.percent}" for name, dot in ends.items()]
    place = f" at ×{most:g} its FLOPs" if ends else ""
    return f"{label + ': ' if with_label else ''}{', '.join(accuracies)}{place}"


def _costs(lines: Mapping[str, Sequence[Dot]], prefix: str, suffix: str) -> Figure:
    return Figure(
        f"accuracy-costs{suffix}",
        f"{prefix}Accuracy against other costs",
        "The same networks by parameters, activations, measured latency and training time. Networks of equal FLOPs "
        "differ in all of these: run time follows activations rather than FLOPs (arXiv 2103.06877). Training seconds "
        "depend on the worker and its load.",
        "Four panels: accuracy against parameters, activations, latency and training seconds, one line a strategy.",
        partial(drawings.costs, lines),
        (2, 2),
        (9.0, 7.2),
    )


def single_dimensions(found: Sequence[Dot], prefix: str, suffix: str) -> Figure | None:
    """Accuracy against w, d and r alone: the paper's settings where they were trained, else the strategies'."""
    raw, grown, start = raw_curves(found), strategies(found), baseline_of(found)
    own = {name: raw.get("raw width d=1 r=1" if name == "width" else f"raw {name}") for name in DIMENSIONS}
    panels = {name: own[name] or grown.get(name, []) for name in DIMENSIONS}
    panels = {name: _with_baseline(start, line) for name, line in panels.items() if len(line) > 1}
    if not panels:
        return None
    without_raw = [name for name in panels if not own[name]]
    remark = (
        f" Without the paper's own settings: {', '.join(without_raw)}; these panels show the networks at equal cost."
        if without_raw
        else ""
    )
    gains = "; ".join(f"{name} to {getattr(line[-1], name):.3g}: {_gain(line)}" for name, line in panels.items())
    return Figure(
        f"single-dimensions{suffix}",
        f"{prefix}One dimension at a time",
        f"EN, Figure 3, on this baseline. From the baseline, {gains} (points of accuracy).{remark}",
        f"Accuracy against the multiplier of {', '.join(panels)} alone, a panel each.",
        partial(drawings.single_dimensions, panels),
        (1, len(panels)),
        (3.4 * len(panels), 3.4),
    )


def width_curves(found: Sequence[Dot], prefix: str, suffix: str) -> Figure | None:
    """Accuracy against FLOPs as the width grows, at other depths and resolutions; None if they were not trained."""
    matches = ((RAW_WIDTH.fullmatch(name), line) for name, line in raw_curves(found).items())
    lines = {f"d = {match[1]}, r = {match[2]}": line for match, line in matches if match}
    if not lines:
        return None
    tops = "; ".join(
        f"{name}: {100 * max(dot.accuracy.value for dot in line):.1f} % at best" for name, line in lines.items()
    )
    return Figure(
        f"width-curves{suffix}",
        f"{prefix}Width, at other depths and resolutions",
        f"EN, Figure 4, on this baseline: each line grows the width alone, from another depth d and resolution r. "
        f"{tops}.",
        "Accuracy against multiply-adds as the width grows, one line for each pair of depth and resolution.",
        lambda axes: drawings.width_curves(lines, axes[0]),
        size=(7.2, 4.0),
    )


def _with_baseline(start: Dot | None, line: Sequence[Dot]) -> list[Dot]:
    """The line with the baseline in front, unless it is there already."""
    if start is None or any(dot.key == start.key for dot in line):
        return list(line)
    return [start, *line]


def _gain(line: Sequence[Dot]) -> str:
    return f"{100 * (line[-1].accuracy.value - line[0].accuracy.value):+.1f}"

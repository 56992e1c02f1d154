"""The section on scaling curves: which way of growing the baseline buys the most accuracy for its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.axes import Axes

from reports.analysis.scaling_law import law_items
from reports.content import Figure, Section, Table
from reports.figures import curves as drawings
from reports.figures.scales import legend_beside, plain
from reports.reading.curves_data import BASELINE, Dot, baseline_of, dots, largest, raw_curves, strategies
from reports.reading.sources import Kind, Run
from reports.sections.paper_figures import single_dimensions, width_curves
from reports.style import name_of
from reports.writing.labels import labels, stems
from reports.writing.scaling_tables import all_networks, equal_cost, papers, side_by_side
from reports.writing.scaling_words import TERMS, headline, verdict, warnings
from studies.wording import percent

Item = str | Figure | Table


def sections(runs: Sequence[Run]) -> list[Section]:
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
        warned += [prefix + line for line in warnings(run, own)]
        missing += [prefix + line for line in _absent(run, own)]
    if len(full) > 1:
        items.insert(1, side_by_side(full, labels(full), data))
    items.append(papers())
    return [Section("scaling", "Scaling", tuple(items), tuple(warned), tuple(missing), TERMS)]


def _nothing(run: Run) -> str:
    return f"{run.folder} has no curves yet (its status: {run.status}): `{_command(run)}` goes on with it"


def _absent(run: Run, found: Sequence[Dot]) -> list[str]:
    lines = []
    if not run.result:
        lines.append(
            f"conclusions (no readable curves.json; status: {run.status}): the networks are shown without contrasts "
            f"and latencies: `{_command(run)}` goes on with it"
        )
    if not any(dot.is_raw for dot in found):
        lines.append(
            "the paper's own settings (single multipliers, width curves at four depths and resolutions): "
            f"`{_command(run)} --raw`"
        )
    return lines


def _command(run: Run) -> str:
    return f"python -m scaling.curves --config {run.folder / 'config.yaml'} --run {run.folder}"


def _of_run(run: Run, found: Sequence[Dot], prefix: str, suffix: str) -> list[Item]:
    """What is said and shown of one run."""
    lines = strategies(found)
    items: list[Item | None] = [
        prefix + headline(run, found),
        *(prefix + line for line in verdict(run)),
        equal_cost(run, found, prefix, suffix) if lines else None,
        _costs(lines, prefix, suffix) if lines else None,
        single_dimensions(found, prefix, suffix),
        width_curves(found, prefix, suffix),
        *law_items(run, found, prefix, suffix),
        all_networks(found, prefix, suffix),
    ]
    return [item for item in items if item is not None]


def _main(runs: Sequence[Run], data: Sequence[Sequence[Dot]]) -> Figure:
    """Accuracy against multiply-adds, a panel a run."""
    lines = [strategies(found) or raw_curves(found) for found in data]
    columns = min(2, len(runs))
    rows = -(-len(runs) // columns)
    return Figure(
        "accuracy-macs",
        "Accuracy against FLOPs, by what is grown",
        "; ".join(_caption(label, found, len(runs) > 1) for label, found in zip(labels(runs), data, strict=True))
        + ". Bars are 95 % intervals over seeds. Strategies of the same cost stand slightly apart so that none hides "
        "another. Hollow: input larger than the images, in no comparison and in no law.",
        "Accuracy on test images against multiply-adds, one line a scaling strategy, from the common baseline upwards.",
        partial(_draw_main, lines, labels(runs)),
        (rows, columns),
        (7.2 if columns == 1 else 10.5, 4.2 * rows),
    )


def _draw_main(lines: Sequence[Mapping[str, Sequence[Dot]]], names: Sequence[str], axes: Sequence[Axes]) -> None:
    for ax, own, name in zip(axes, lines, names, strict=False):
        drawings.against_cost(own, drawings.MACS, ax, apart=True, legend=False)
        if len(lines) > 1:
            ax.set_title(plain(name))
    shown = axes[: len(lines)]
    if any(ax.get_legend_handles_labels()[0] for ax in shown):
        # Runs may differ in what they grow: one legend names the strategies of all.
        legend_beside(shown[-1], shown)
    for ax in axes[len(lines) :]:
        ax.set_axis_off()


def _caption(label: str, found: Sequence[Dot], several: bool) -> str:
    start, most = baseline_of(found), largest(found)
    ends = {name: line[-1] for name, line in strategies(found).items() if line[-1].multiple == most}
    told = [f"baseline {percent(start.accuracy)}"] if start else []
    told += [f"{name_of(name)} {percent(dot.accuracy)}" for name, dot in ends.items()]
    place = f" at ×{most:g} its FLOPs" if ends else ""
    return f"{label + ': ' if several else ''}{', '.join(told)}{place}"


def _costs(lines: Mapping[str, Sequence[Dot]], prefix: str, suffix: str) -> Figure:
    return Figure(
        f"accuracy-costs{suffix}",
        f"{prefix}Accuracy against other costs",
        "The same networks by parameters, activations, measured latency and training time. Networks of equal FLOPs "
        "differ in all of these: run time follows activations rather than FLOPs (arXiv 2103.06877). Training seconds "
        "are of whatever worker trained the network, however busy.",
        "Four panels: accuracy against parameters, activations, latency and training seconds, one line a strategy.",
        partial(drawings.costs, lines),
        (2, 2),
        (9.0, 7.2),
    )

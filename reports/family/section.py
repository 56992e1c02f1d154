"""The section on the family and the world: what phi = 0 to 7 costs, and where published networks stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import search_spaces as ss
from reports.curves.data import dots
from reports.family import figures as drawings
from reports.family.data import CHOICE, GrownFamily, MeasuredNetwork, convolutions, families, measured
from reports.page.content import Cell, Column, Figure, Section, Table
from reports.page.metrics import metric_column
from reports.page.values import percentage, ratio
from reports.reading.labels import labels
from reports.reading.published import networks as published
from reports.reading.runs import Kind, RunData

TERMS: Mapping[str, str] = {
    "family": "the networks that one baseline and one set of coefficients give for phi = 0, 1, 2, ...",
    "phi": "how often the FLOPs are doubled: d = alpha^phi, w = beta^phi, r = gamma^phi",
    "nominal": "what the coefficients ask for, before layers, channels and input are rounded",
    "realised": "what the network has after rounding",
}


def sections(runs: Sequence[RunData]) -> list[Section]:
    """The section on all runs; always there, with the published networks at least, unless there is no run."""
    if not runs:
        return []
    names = labels(runs)
    grown = families(runs, names)
    found = [one for run, name in zip(runs, names, strict=True) for one in _measured(run, name)]
    items: list[str | Figure | Table] = []
    for index, family in enumerate(grown, 1):
        suffix = f"-{index}" if len(grown) > 1 else ""
        items += [_headline(family), cost_table(family, suffix), depth_table(family, suffix)]
    items += [_world(grown, found), published_table()]
    return [Section("family", "The family and the world", tuple(items), (), tuple(_missing(grown, found)), TERMS)]


def _measured(run: RunData, label: str) -> list[MeasuredNetwork]:
    return measured(run, label, dots(run) if run.kind is Kind.CURVES else ())


def _missing(grown: Sequence[GrownFamily], found: Sequence[MeasuredNetwork]) -> list[str]:
    lines = []
    if not any(family.is_own for family in grown):
        lines.append(
            "coefficients of your own: `python -m scaling.grid --baseline NETWORK` finds them"
            + ("; the family here is by EN's 1.2/1.1/1.15" if grown else "")
        )
    if not found:
        lines.append("accuracies of scaled networks on your own images: `python -m scaling.curves` measures them")
    return lines


def _headline(family: GrownFamily) -> str:
    start = family.baseline
    whose = f"{family.label}'s coefficients" if family.is_own else f"{family.label}'s network by EN's coefficients"
    cut = f" It ends there: {family.refused}." if family.refused else ""
    return (
        f"The family of {start.name or start.key} at {start.resolution} px, by {whose} {family.coefficients}, "
        f"rounded as in the papers; memory at batch size {family.batch}. Only the networks in the "
        f"other sections were trained: these are costs.{cut}"
    )


def cost_table(family: GrownFamily, suffix: str = "") -> Table:
    """Nominal and realised growth and cost of each member."""
    rows: list[dict[str, Cell]] = [_member(member.row()) for member in family.members]
    multipliers = [
        Column(f"{prefix}{name}", f"{letter}{mark}", "", ratio, f"{kind} {name} multiplier")
        for prefix, mark, kind in (("nominal_", " asked", "nominal"), ("", "", "realised"))
        for name, letter in (("depth", "d"), ("width", "w"), ("resolution", "r"), ("cost", "cost"))
    ]
    columns = (
        Column("phi", "φ"),
        *multipliers,
        Column("input_px", "input", "px"),
        *(metric_column(name) for name in ("macs", "params", "activations")),
        metric_column("training_memory", key="training_bytes"),
        metric_column("inference_memory", key="inference_bytes"),
        Column("dropout", "dropout", "", ratio, "as EN suggests: 0.2 for the baseline, more with cost, 0.5 at most"),
    )
    return Table(f"family{suffix}", f"What the family costs ({family.label})", columns, rows)


def depth_table(family: GrownFamily, suffix: str = "") -> Table:
    """Layers and parameters of each member, and of EfficientNet's member of the same number."""
    rows: list[dict[str, Cell]] = []
    for member in family.members:
        theirs = ss.get(f"efficientnet_b{member.phi:.0f}")
        rows.append({
            "phi": int(member.phi),
            "layers": _layers(member.arch),
            "convolutions": convolutions(member.arch),
            "params": member.cost.params,
            "theirs": f"B{member.phi:.0f}",
            "their_layers": _layers(theirs),
            "their_convolutions": convolutions(theirs),
            "their_params": ss.cost(theirs).params,
        })  # fmt: skip
    definition = "convolution and linear layers, those of squeeze-and-excitation and the classifier included"
    columns = (
        Column("phi", "φ"),
        Column("layers", "layers", "", str, "layers of all stages: blocks such as an MBConv"),
        Column("convolutions", "convolutions", "", str, definition),
        metric_column("params"),
        Column("theirs", "EfficientNet"),
        Column("their_layers", "its layers"),
        Column("their_convolutions", "its convolutions", "", str, definition),
        metric_column("params", key="their_params", title="its parameters"),
    )
    return Table(
        f"depth{suffix}", f"Layers and parameters ({family.label})", columns, rows,
        "Beside EfficientNet-B0 to B7 as counted on its published tables, for 1000 classes. B1 is no phi = 1: every "
        "published member has multipliers of its own.",
    )  # fmt: skip


def published_table() -> Table:
    """Published networks with their sources."""
    rows: list[dict[str, Cell]] = [
        {
            "network": one.network,
            "input_px": one.input_px,
            "params": one.params,
            "macs": one.macs,
            "accuracy": one.accuracy,
            "source": one.source,
        }
        for one in published()
    ]
    columns = (
        Column("network", "network"),
        Column("input_px", "input", "px"),
        metric_column("params"),
        metric_column("macs"),
        Column("accuracy", "ImageNet top-1", "%", percentage),
        Column("source", "source"),
    )
    return Table(
        "published", "Published networks", columns, rows,
        "EN: EfficientNet, arXiv 1905.11946. V2: EfficientNetV2, arXiv 2104.00298. Figures as printed there.",
    )  # fmt: skip


def _world(grown: Sequence[GrownFamily], found: Sequence[MeasuredNetwork]) -> Figure:
    data = drawings.Comparison(published(), _costs(grown), _by_training(found))
    rows = 1 + len(data.measured)
    own = "; ".join(f"on {dataset}: {_best(points)}" for dataset, points in data.measured.items())
    foot = " Triangles at the foot: what our family costs; its accuracy on ImageNet was not measured." * bool(grown)
    apart = f" Below, on other data and other axes, what was measured here ({own})." if own else ""
    return Figure(
        "world",
        "Published networks, and ours",
        f"On top: published ImageNet accuracies by parameters and FLOPs.{foot}{apart} Accuracies on different data "
        "sets cannot be compared, and are not drawn on one axis.",
        "Accuracy against parameters and multiply-adds: published networks on ImageNet; below, ours on their own data.",
        lambda axes: drawings.world(data, axes),
        (rows, 2),
        (10.5, 3.9 * rows),
    )


def _costs(grown: Sequence[GrownFamily]) -> dict[str, list[float]]:
    """Of the first family: more would not be told apart."""
    members = grown[0].members if grown else ()
    return {name: [float(member.row()[name]) for member in members] for name in drawings.AXES}


def _by_training(found: Sequence[MeasuredNetwork]) -> dict[str, list[MeasuredNetwork]]:
    """A group for each run of curves, and one for the choices of grids on data that no curves were drawn on."""
    curves = {one.run: one.dataset for one in found if one.name != CHOICE}
    groups: dict[str, list[MeasuredNetwork]] = {}
    for one in found:
        if one.name == CHOICE and one.dataset in curves.values():
            continue
        shares_data = list(curves.values()).count(one.dataset) > 1
        groups.setdefault(f"{one.dataset} ({one.run})" if shares_data else one.dataset, []).append(one)
    return groups


def _best(points: Sequence[MeasuredNetwork]) -> str:
    best = max(points, key=lambda one: one.accuracy.value)
    return f"{100 * best.accuracy.value:.1f} % at best, {best.name}"


def _member(row: Mapping[str, Cell]) -> dict[str, Cell]:
    """A member's values, its phi as a whole number."""
    return {**row, "phi": int(row["phi"] or 0)}


def _layers(arch: ss.Arch) -> int:
    return sum(stage.layers for stage in arch.stages)

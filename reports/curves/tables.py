"""Tables of scaling curves: strategies at equal cost (as EN's Tables 3 and 7), all networks, runs side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reports.curves.data import Dot, baseline_of, conclusions_of, largest, strategies
from reports.curves.words import verdict_of_compound
from reports.page.content import Cell, Column, Table
from reports.page.learning_rates import learning_rate_columns
from reports.page.metrics import metric_column
from reports.page.values import half_width, milliseconds, percentage, points, ratio, whole
from reports.reading.published import scaled
from reports.reading.runs import RunData
from scaling.curves.conclusions import CurvesConclusions, curve_name
from scaling.curves.config import BASELINE
from search_spaces.metrics.registry import METRICS

LEAD = "accuracy of the compound network minus this one's, paired by seed and matched to the same FLOPs"
SIZES = (
    Column("depth", "d", "", ratio, "realised depth multiplier: layers over the baseline's"),
    Column("width", "w", "", ratio, "realised width multiplier: mean ratio of channels to the baseline's"),
    Column("resolution", "r", "", ratio, "realised resolution multiplier: input side over the baseline's"),
    Column("input_px", "input", "px", whole),
    Column("layers", "layers", "", whole, "layers of all stages"),
)
COSTS = (
    metric_column("macs"),
    Column("cost", "cost", "× baseline", ratio, f"{METRICS['macs'].label} over the baseline's"),
    metric_column("params"),
    metric_column("activations"),
    Column("latency", "latency", "ms", milliseconds, "median time of one image on one thread, batch 1"),
    Column("seconds", "training", "s", whole, "mean seconds of one training; depends on the worker"),
)
ACCURACY = (
    Column("accuracy", "accuracy", "%", percentage, "of test images, mean of the seeds"),
    Column("half", "±", "points", percentage, "half the 95 % interval, its variance pooled over all networks"),
    Column("seeds", "seeds", "", str),
)
AGAINST = (
    Column("lead", "lead of compound", "points", points, LEAD),
    Column("lead_low", "from", "points", points, "lower end of the lead's 95 % interval, holding for all rows at once"),
    Column("lead_high", "to", "points", points, "upper end of the same"),
    Column("verdict", "verdict", "", str, "better, worse, equivalent (within 0.5 points) or undecided"),
)


def equal_cost(conclusions: CurvesConclusions | None, found: Sequence[Dot], prefix: str, suffix: str) -> Table:
    """The strategies at the largest multiple, with the lead of compound over each."""
    most, start = largest(found), baseline_of(found)
    ours = conclusions.compound if conclusions else "compound"
    ends = [line[-1] for line in strategies(found).values() if line[-1].multiple == most]
    rows = [_row(dot, start) | _lead(conclusions, dot) for dot in ([start] if start else []) + ends]
    return Table(
        f"equal-cost{suffix}",
        f"{prefix}Strategies at ×{most:g} the baseline's FLOPs",
        (
            Column("name", "strategy"),
            *SIZES[:3],
            *COSTS[:2],
            *_rates(found),
            *ACCURACY,
            *AGAINST,
            *SIZES[3:],
            *COSTS[2:],
        ),
        rows,
        f"As EN's Tables 3 and 7. {_correction(conclusions)}The others are compared with the marked row.",
        marked=lambda row: row["curve"] == ours,
    )


def all_networks(found: Sequence[Dot], prefix: str, suffix: str) -> Table:
    """Every network on every curve: what the figures are drawn from."""
    start = baseline_of(found)
    return Table(
        f"networks{suffix}",
        f"{prefix}All networks of the curves",
        (Column("name", "curve"), Column("multiple", "asked", "× baseline", ratio), *SIZES[:3], *COSTS[:2],
         *_rates(found), *ACCURACY, *SIZES[3:], *COSTS[2:], Column("remark", "remark")),
        [_row(dot, start) for dot in found],
        "A network may stand on several curves. Settings of the paper's own begin with “raw”: multipliers rounded as "
        "in the papers, not matched to a cost.",
    )  # fmt: skip


def side_by_side(runs: Sequence[RunData], labels: Sequence[str], data: Sequence[Sequence[Dot]]) -> Table:
    """Several runs: accuracy and lead of compound at each run's largest multiple, a row a strategy."""
    names = list(dict.fromkeys([BASELINE, *(name for found in data for name in strategies(found))]))
    columns, rows = [Column("name", "strategy")], [{"name": curve_name(name)} for name in names]
    cells: list[dict[str, Cell]] = [dict(row) for row in rows]
    for index, (run, label, found) in enumerate(zip(runs, labels, data, strict=True)):
        conclusions = conclusions_of(run)
        about = f"{label}, ×{largest(found):g}"
        columns += [
            Column(f"accuracy_{index}", f"accuracy ({about})", "%", percentage),
            Column(f"half_{index}", f"± ({label})", "points", percentage),
            Column(f"lead_{index}", f"lead of compound ({label})", "points", points, LEAD),
            Column(f"verdict_{index}", f"verdict ({label})"),
        ]
        for name, row in zip(names, cells, strict=True):
            row.update({f"{key}_{index}": value for key, value in _result(conclusions, found, name).items()})
    return Table(
        "side-by-side", "The runs side by side", columns, cells,
        "Each run has its own training: compare leads, and compare accuracies only if data sets and images are the "
        "same.",
    )  # fmt: skip


def papers() -> Table:
    """What the paper found at equal cost: single dimensions and compound on its baselines."""
    singles = ("depth", "width", "resolution")
    compound = {one.network: one.accuracy for one in scaled() if one.scaling == "compound"}
    rows: list[Mapping[str, Cell]] = [
        {
            "network": one.network,
            "scaling": one.scaling,
            **{name: getattr(one, name) for name in singles},
            "macs": one.macs,
            "accuracy": one.accuracy,
            "lead": round(compound[one.network] - one.accuracy, 4) if one.scaling in singles else None,
            "source": one.source,
        }
        for one in scaled()
    ]
    return Table(
        "paper-equal-cost",
        "The same comparison as the paper published it, on ImageNet",
        (Column("network", "baseline"), Column("scaling", "strategy"), *SIZES[:3],
         metric_column("macs"), Column("accuracy", "top-1", "%", percentage),
         Column("lead", "lead of compound", "points", points), Column("source", "source")),
        rows,
        "ImageNet accuracies of fully trained networks, without intervals: not comparable with accuracies on another "
        "data set; the leads are what to compare.",
        marked=lambda row: row["scaling"] == "compound",
    )  # fmt: skip


def _row(dot: Dot, start: Dot | None) -> dict[str, Cell]:
    return {
        "curve": dot.curve,
        "name": curve_name(dot.curve),
        "multiple": dot.multiple,
        **{name: getattr(dot, name) for name in ("depth", "width", "resolution", "input_px", "layers")},
        **dot.metrics,
        "cost": dot.metrics["macs"] / start.metrics["macs"] if start else None,
        "latency": dot.latency,
        "seconds": dot.seconds,
        "accuracy": dot.accuracy.value,
        "half": half_width(dot.accuracy),
        "seeds": len(dot.test),
        "remark": "upsampled" if dot.upsampled else "",
        **({} if math.isnan(dot.lr) else {"lr": dot.lr}),
    }


def _rates(found: Sequence[Dot]) -> tuple[Column, ...]:
    return learning_rate_columns(dot.lr for dot in found)


def _lead(conclusions: CurvesConclusions | None, dot: Dot) -> dict[str, Cell]:
    """The lead of compound over a network, from the run's own conclusions."""
    if dot.upsampled:
        return {"verdict": "upsampled: not compared"}
    contrast = conclusions.against_all.get(dot.curve) if conclusions else None
    if contrast is None:
        return {}
    difference = contrast.difference
    known = half_width(difference) is not None
    return {
        "lead": difference.value,
        "lead_low": difference.low if known else None,
        "lead_high": difference.high if known else None,
        "verdict": verdict_of_compound(contrast),
    }


def _result(conclusions: CurvesConclusions | None, found: Sequence[Dot], name: str) -> dict[str, Cell]:
    """Accuracy of a strategy at the largest multiple (or of the baseline) and the lead of compound over it."""
    most = largest(found)
    dot = next((one for one in found if one.curve == name and (name == BASELINE or one.multiple == most)), None)
    if dot is None:
        return {}
    return {"accuracy": dot.accuracy.value, "half": half_width(dot.accuracy), **_lead(conclusions, dot)}


def _correction(conclusions: CurvesConclusions | None) -> str:
    if conclusions is None:
        return ""
    return (
        "The leads are corrected for differences from the target cost, with "
        f"{100 * conclusions.slope:+.2f} points of accuracy per doubling of FLOPs. "
    )

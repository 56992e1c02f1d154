"""The networks of a run of scaling.curves as values (curve, cost, accuracy), and what the run concluded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.page.metrics import is_metric
from reports.reading.runs import RunData
from scaling.curves.conclusions import CurvesConclusions
from scaling.curves.config import BASELINE
from scaling.law.data import training_rows
from studies.data.registry import native_pixels
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate, pooled_intervals

NEEDED = ("curve", "multiple", "key", "depth", "width", "resolution", "macs", "seed", "test_accuracy")
RAW = "raw "


@dataclass(frozen=True)
class Dot:
    """A network on a curve. What is not known is nan, or missing among the metrics.

    curve       the strategy, or the paper's own setting: "raw depth", "raw width d=1 r=1.3"
    multiple    of the baseline's multiply-adds that it was made for
    upsampled   whether its input is larger than the images; it is then in no comparison and in no law
    depth, width, resolution  realised multipliers
    asked       the nominal multipliers
    metrics     by name, in raw units
    latency     median seconds of one image; seconds: mean of one training
    test        accuracy on the test images by seed, 0 to 1
    accuracy    their mean, its interval with the variance pooled over all networks
    lr          its own peak learning rate, if networks have their own
    """

    curve: str
    multiple: float
    key: str
    upsampled: bool
    depth: float
    width: float
    resolution: float
    asked: tuple[float, float, float]
    input_px: float
    layers: float
    metrics: Mapping[str, float]
    latency: float
    seconds: float
    test: Mapping[int, float]
    accuracy: Estimate
    lr: float = math.nan

    @property
    def is_raw(self) -> bool:
        """Whether this is one of the paper's own settings, not matched to a cost."""
        return self.curve.startswith(RAW)


def dots(run: RunData) -> list[Dot]:
    """The networks of a run: from its table, or, before that is written, from the complete trainings."""
    table = run.table if len(run.table) else _unfinished(run)
    if missing := [name for name in NEEDED if name not in table]:
        if len(table):
            run.notes.append(f"curves.csv cannot be used: it lacks {', '.join(missing)}")
        return []
    rows = table.dropna(subset=list(NEEDED))
    groups = [group for _, group in rows.groupby(["curve", "multiple", "key"], sort=False)]
    if not groups:
        return []
    means = pooled_intervals([group["test_accuracy"].tolist() for group in groups])
    return [_dot(group, mean) for group, mean in zip(groups, means, strict=True)]


def baseline_of(found: Sequence[Dot]) -> Dot | None:
    """The baseline among the networks."""
    return next((dot for dot in found if dot.curve == BASELINE), None)


def strategies(found: Sequence[Dot]) -> dict[str, list[Dot]]:
    """The networks of each strategy, cheapest first, the baseline in front of all."""
    start = [dot for dot in found if dot.curve == BASELINE]
    names = list(dict.fromkeys(dot.curve for dot in found if not dot.is_raw and dot.curve != BASELINE))
    return {name: [*start, *_cheapest_first(found, name)] for name in names}


def raw_curves(found: Sequence[Dot]) -> dict[str, list[Dot]]:
    """The paper's own settings by curve, cheapest first."""
    return {name: _cheapest_first(found, name) for name in dict.fromkeys(dot.curve for dot in found if dot.is_raw)}


def law_rows(found: Sequence[Dot]) -> list[dict[str, float]]:
    """What a law is fitted to: a row per training of each different network that is not upsampled."""
    different = {dot.key: dot for dot in found if not dot.upsampled}.values()
    return training_rows((dot, dot.metrics["macs"], dot.test) for dot in different)


def conclusions_of(run: RunData) -> CurvesConclusions | None:
    """What the run concluded; None, with a note, for a curves.json that is broken."""
    if not run.result:
        return None
    try:
        return CurvesConclusions.of_file(run.result)
    except ValueError as error:
        run.notes.append(f"curves.json cannot be used: {error}")
        return None


def largest(found: Sequence[Dot]) -> float:
    """The largest multiple of any strategy; 1 without any."""
    return max((dot.multiple for dot in found if not dot.is_raw), default=1.0)


def _cheapest_first(found: Sequence[Dot], curve: str) -> list[Dot]:
    return sorted((dot for dot in found if dot.curve == curve), key=lambda dot: dot.metrics["macs"])


def _dot(group: pd.DataFrame, mean: Estimate) -> Dot:
    first = {str(name): value for name, value in group.iloc[0].items()}
    realised = {name: float(first[name]) for name in ("depth", "width", "resolution")}
    asked = (_known(first, f"nominal_{name}", value) for name, value in realised.items())
    depth, width, resolution = asked
    return Dot(
        curve=str(first["curve"]),
        multiple=float(first["multiple"]),
        key=str(first["key"]),
        upsampled=str(first.get("upsampled", False)) == "True",
        **realised,
        asked=(depth, width, resolution),
        **{name: _known(first, name) for name in ("input_px", "layers")},
        metrics={name: value for name in filter(is_metric, first) if math.isfinite(value := _known(first, name))},
        latency=_known(first, "latency_median"),
        seconds=float(pd.to_numeric(group["seconds"], errors="coerce").mean()) if "seconds" in group else math.nan,
        test={int(seed): float(value) for seed, value in zip(group["seed"], group["test_accuracy"], strict=True)},
        accuracy=mean,
        lr=_known(first, "lr"),
    )


def _known(row: Mapping[str, Any], name: str, otherwise: float = math.nan) -> float:
    try:
        value = float(row[name])
    except (KeyError, TypeError, ValueError):
        return otherwise
    return value if math.isfinite(value) else otherwise


def _unfinished(run: RunData) -> pd.DataFrame:
    """The same table for the trainings that are complete so far; latencies are not known yet."""
    from search_spaces.networks.arch import Arch
    from search_spaces.resizing.compound import realised

    records = [one for one in run.records("curves") if one.outcome is Outcome.COMPLETE and one.rungs]
    archs = {one.key: Arch.from_json(one.arch) for one in records}
    baseline = next((one for one in records if BASELINE in one.notes.get("curves", ())), None)
    if baseline is None:
        return pd.DataFrame()
    start = archs[baseline.key]
    rows, pixels = [], _pixels(run)
    for one in records:
        arch = archs[one.key]
        got, growth = realised(arch, start), one.metrics["macs"] / baseline.metrics["macs"]
        about = {
            "multiple": one.notes.get("multiple", growth),
            "key": one.key,
            "depth": got.depth,
            "width": got.width,
            "resolution": got.resolution,
            "input_px": arch.resolution,
            "upsampled": arch.resolution > pixels,
            "layers": sum(stage.layers for stage in arch.stages),
            **one.metrics,
            "seed": one.seed,
            "test_accuracy": one.rungs[-1].get("test_accuracy"),
            "seconds": one.seconds,
        }
        rows += [{"curve": curve, **about} for curve in one.notes.get("curves", ())]
    return pd.DataFrame(rows)


def _pixels(run: RunData) -> float:
    """Side of the images; infinite if their data set is not on this machine."""
    try:
        return native_pixels(str(run.setting("data.dataset")), str(run.setting("data.root", "data")))
    except (ValueError, OSError):
        return math.inf

"""Accuracy against parameters and multiply-adds: published networks on ImageNet, ours on their own data, apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes

from reports.family.data import CHOICE, MeasuredNetwork, strategies
from reports.page.metrics import axis_label
from reports.page.scales import accuracy_limits, log_x, plain, whiskers
from reports.page.style import BASELINE_LOOK, INK, OTHERS, strategy_style
from reports.reading.published import PublishedNetwork
from scaling.curves.conclusions import curve_name
from search_spaces.common.palette import BLUE, GREEN, RED

AXES = ("params", "macs")
"""The metrics of the panels' columns."""
FAMILIES = {
    "EfficientNet": (RED, "D", "-"),
    "EfficientNetV2": (BLUE, "s", "--"),
    "MobileNetV1": (OTHERS[0][0], "<", "none"),
    "MobileNetV2": (OTHERS[1][0], ">", "none"),
    "MnasNet": (GREEN, "^", "none"),
    "ResNet": (BASELINE_LOOK[0], "o", "none"),
}
# Where names would lie upon those of another family: their offset in points, and the side they are aligned by.
ASIDE: dict[str, tuple[tuple[int, int], Literal["left", "right"]]] = {
    "EfficientNetV2": ((-6, 3), "right"),
    "MobileNetV2": ((-7, -3), "right"),
}


@dataclass(frozen=True)
class Comparison:
    """What the panels show: `costs` are the family's, {"params": [...], "macs": [...]}; its accuracy is not known."""

    published: Sequence[PublishedNetwork]
    costs: Mapping[str, Sequence[float]]
    measured: Mapping[str, Sequence[MeasuredNetwork]]


def world(data: Comparison, axes: Sequence[Axes]) -> None:
    """A column for each of AXES: published networks on top, a row for each data set of ours below."""
    for column, key in enumerate(AXES):
        published(data.published, key, data.costs.get(key, ()), axes[column])
    axes[0].set_title("Published, on ImageNet")
    for row, (dataset, points) in enumerate(data.measured.items(), 1):
        for column, key in enumerate(AXES):
            ours(points, key, axes[2 * row + column], legend=column == 1)
        axes[2 * row].set_title(f"Measured here, on {plain(dataset)}:\nnot comparable with ImageNet's")


def published(networks: Sequence[PublishedNetwork], key: str, costs: Sequence[float], ax: Axes) -> None:
    """Published ImageNet accuracies against `key`; small triangles at the foot mark what our family costs."""
    known = [one for one in networks if getattr(one, key)]
    for family, (color, marker, line) in FAMILIES.items():
        mine = [one for one in known if one.family == family]
        x, y = [getattr(one, key) for one in mine], [100 * one.accuracy for one in mine]
        ax.plot(x, y, marker=marker, color=color, ls=line, label=family)
        for one, left, bottom in zip(mine, x, y, strict=True):
            offset, side = ASIDE.get(family, ((6, -9), "left"))
            ax.annotate(_short(one), (left, bottom), offset, textcoords="offset points", fontsize=8, ha=side)
    log_x(ax, [*(getattr(one, key) for one in known), *costs])
    ax.set_ylim(68.5, 87)
    _foot(costs, ax)
    ax.set_xlabel(axis_label(key))
    ax.set_ylabel("ImageNet top-1 (%)")


def ours(points: Sequence[MeasuredNetwork], key: str, ax: Axes, *, legend: bool) -> None:
    """Accuracies that runs measured on one data set against `key`, with intervals, one marker a strategy."""
    runs = list(dict.fromkeys(point.run for point in points))
    for run in runs:
        for name in strategies([point for point in points if point.run == run]):
            mine = [point for point in points if (point.run, point.name) == (run, name)]
            mine = sorted((one for one in mine if one.metrics.get(key, 0) > 0), key=lambda one: one.metrics[key])
            style: dict[str, Any] = strategy_style(name) | ({"marker": "*"} if name == CHOICE else {})
            label = curve_name(name) + (f", {run}" if len(runs) > 1 else "")
            _scatter([one for one in mine if not one.upsampled], key, style, plain(label), ax)
            _scatter([one for one in mine if one.upsampled], key, style | {"mfc": "none"}, "_upsampled", ax)
    log_x(ax, [point.metrics.get(key, math.nan) for point in points])
    accuracy_limits(ax, [point.accuracy for point in points])
    ax.set_xlabel(axis_label(key))
    ax.set_ylabel("accuracy on test images (%)")
    if legend and ax.get_legend_handles_labels()[0]:
        ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), borderaxespad=0)


def _scatter(points: Sequence[MeasuredNetwork], key: str, style: dict[str, Any], label: str, ax: Axes) -> None:
    if not points:
        return
    ends = [whiskers(point.accuracy) for point in points]
    ax.errorbar(
        [point.metrics[key] for point in points], [100 * point.accuracy.value for point in points],
        [[low for low, _ in ends], [high for _, high in ends]], **style, ls="none", capsize=2.5, elinewidth=0.9,
        label=label,
    )  # fmt: skip


def _foot(costs: Sequence[float], ax: Axes) -> None:
    known = [value for value in costs if math.isfinite(value) and value > 0]
    if not known:
        return
    ax.plot(known, [0.03] * len(known), "^", color=INK, ms=5, transform=ax.get_xaxis_transform(), label="_foot")
    for phi in sorted({0, len(known) - 1}):
        ax.annotate(
            f"φ = {phi}", (known[phi], 0.03), (0, 6), xycoords=ax.get_xaxis_transform(), ha="center", fontsize=8,
            textcoords="offset points",
        )  # fmt: skip


def _short(one: PublishedNetwork) -> str:
    """A network's name without what its marker says already."""
    return one.network.removeprefix("EfficientNet-").removeprefix("EfficientNet")

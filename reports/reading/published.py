"""Published networks: what papers state of their size, cost and ImageNet accuracy (published.csv, with sources)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("published.csv")


@dataclass(frozen=True, slots=True)
class PublishedNetwork:
    """A network as published; None where its source does not say.

    network     its name, or its baseline's where it is a scaled form
    scaling     baseline, depth, width, resolution or compound in a comparison at equal cost (EN, Tables 3 and 7);
                empty for a network in its own right
    depth, width, resolution  multipliers; input_px: side of the input in pixels
    params      parameters; macs: multiply-adds for one image
    accuracy    top-1 on ImageNet, 0 to 1
    source      paper and table (EN = EfficientNet arXiv 1905.11946, V2 = EfficientNetV2 arXiv 2104.00298)
    """

    network: str
    family: str
    scaling: str
    depth: float | None
    width: float | None
    resolution: float | None
    input_px: int | None
    params: int | None
    macs: int
    accuracy: float
    source: str


@cache
def published() -> tuple[PublishedNetwork, ...]:
    """All rows of the table, in its order."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_row(row) for row in csv.DictReader(file))


def networks() -> tuple[PublishedNetwork, ...]:
    """The networks in their own right."""
    return tuple(one for one in published() if not one.scaling)


def scaled() -> tuple[PublishedNetwork, ...]:
    """Baselines and their forms scaled to one cost by single dimensions and by all (EN, Tables 3 and 7)."""
    return tuple(one for one in published() if one.scaling)


def _row(row: Mapping[str, str]) -> PublishedNetwork:
    depth, width, resolution = (_number(row[name]) for name in ("depth", "width", "resolution"))
    params = _number(row["params_millions"])
    return PublishedNetwork(
        network=row["network"],
        family=row["family"],
        scaling=row["scaling"],
        depth=depth,
        width=width,
        resolution=resolution,
        input_px=int(row["input_px"]) if row["input_px"] else None,
        params=None if params is None else round(1e6 * params),
        macs=round(1e9 * float(row["flops_billions"])),
        accuracy=round(float(row["imagenet_top1"]) / 100, 6),
        source=row["source"],
    )


def _number(text: str) -> float | None:
    return float(text) if text else None

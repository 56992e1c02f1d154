"""Class activation maps: class activation maps of the baseline and of its scaled versions, same images."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from reports.maps.cam import ActivationMap, Images, activation_maps, read_images
from reports.maps.figures import MapRow, class_maps
from reports.page.content import Cell, Column, Figure, Section, Table
from reports.page.values import percentage
from reports.reading.labels import labels
from reports.reading.runs import Kind, RunData
from scaling.curves.conclusions import curve_name
from scaling.curves.config import BASELINE
from search_spaces.common.user_code import search_in
from studies.data.registry import FOLDER_PREFIX

if TYPE_CHECKING:
    from search_spaces.networks.module import Network

TERMS = {
    "class activation map": "How much each place of an image adds to a network's score for the image's true class: "
    "the classifier's weights of that class times the last feature map (Zhou et al. 2016).",
}
NEEDED = ("curve", "multiple", "weights")


@dataclass(frozen=True)
class ShownNetwork:
    """A trained network of the curves: its curve, multiple of the baseline's cost, weights, mean test accuracy."""

    curve: str
    multiple: float
    weights: Path
    accuracy: float | None

    @property
    def label(self) -> str:
        """In words, such as "width x4"."""
        return self.curve if self.curve == BASELINE else f"{curve_name(self.curve)} x{self.multiple:g}"


def sections(runs: Sequence[RunData]) -> list[Section]:
    """One section for each run of scaling.curves."""
    found = [run for run in runs if run.kind is Kind.CURVES]
    return [_section(run, label if len(found) > 1 else "") for run, label in zip(found, labels(found), strict=True)]


def _section(run: RunData, label: str) -> Section:
    title = f"Class activation maps{f': {label}' if label else ''}"
    name = f"maps-{label}" if label else "maps"
    try:
        networks = [(member, _network(member)) for member in chosen(run)]
        images = _images(run, max(network.arch.resolution for _, network in networks))
        maps = [(member, activation_maps(network, images)) for member, network in networks]
    except (OSError, ValueError) as error:
        folder = shlex.quote(str(run.folder))
        again = f"`python -m scaling.curves --config {folder}/config.yaml --run {folder}`"
        needed = f"They need the data set's test images and the weights that {again} leaves."
        return Section(name, title, missing=[f"No class activation maps of {run.name}: {error}. {needed}"])
    rows = [MapRow(member.label, seen) for member, seen in maps]
    size = (1.2 + 1.45 * len(images.classes), 0.4 + 1.6 * (len(rows) + 1))
    draw = partial(class_maps, images.pixels, images.classes, rows)
    panels = (len(rows) + 1, len(images.classes))
    caption = _caption(rows, images)
    figure = Figure(f"{name}-cam", "Class activation maps", caption, caption, draw, panels, size)
    return Section(name, title, [_introduction(run), figure, _table(name, maps, images)], terms=TERMS)


def chosen(run: RunData) -> list[ShownNetwork]:
    """The baseline, and each curve at the largest multiple that most curves have weights for.

    Networks as rounded to equal cost only, not the curves' raw ones. ValueError where there are no weights.
    """
    table = run.table
    if table.empty or not set(NEEDED) <= set(table.columns):
        raise ValueError("curves.csv has no networks yet")
    groups = [group for _, group in table.groupby(["curve", "multiple"], sort=False)]
    members = [member for group in groups if (member := _member(run, group))]
    grown = [member for member in members if member.curve != BASELINE]
    if not members:
        raise ValueError("no trained weights are kept")
    counts = {multiple: sum(m.multiple == multiple for m in grown) for multiple in {m.multiple for m in grown}}
    largest = max(counts, key=lambda multiple: (counts[multiple], multiple), default=1.0)
    return [m for m in members if m.curve == BASELINE] + [m for m in grown if m.multiple == largest]


def _member(run: RunData, group: pd.DataFrame) -> ShownNetwork | None:
    """A network of curves.csv; None where its weights are not there, or where it is a raw one."""
    if "is_raw" in group:
        group = group[group["is_raw"].astype(str).str.lower() != "true"]
    names = [str(name) for name in group["weights"].dropna()]
    paths = [path for path in (run.folder / name for name in names) if path.is_file()]
    multiple = pd.to_numeric(group["multiple"], errors="coerce").dropna()
    if not paths or multiple.empty:
        return None
    column = group["test_accuracy"] if "test_accuracy" in group else pd.Series(dtype=float)
    accuracies = pd.to_numeric(column, errors="coerce").dropna()
    mean = float(accuracies.mean()) if len(accuracies) else None
    return ShownNetwork(str(group["curve"].iloc[0]), float(multiple.iloc[0]), paths[0], mean)


def _network(member: ShownNetwork) -> Network:
    from studies.trainer.checkpoint import load_weights

    return cast("Network", load_weights(member.weights)[1])


def _images(run: RunData, side: int) -> Images:
    """From the data set as the run named it: relative to here, else to the folder it was started in.

    A user's own data set is also looked for in the folders that the run recorded.
    """
    dataset, root = str(run.setting("data.dataset", "")), Path(str(run.setting("data.root", "data")))
    seed = run.config.get("seed", 0)
    seed = seed if isinstance(seed, int) else 0
    started, folder = _started_in(run), dataset.removeprefix(FOLDER_PREFIX)
    if folder != dataset and not Path(folder).is_dir():
        dataset = f"{FOLDER_PREFIX}{started / folder}"
    code = run.setting("workers.code", [])
    search_in(folder for folder in map(str, code if isinstance(code, list) else []) if Path(folder).is_dir())
    return read_images(dataset, root if root.is_dir() else started / root, seed, side)


def _started_in(run: RunData) -> Path:
    sessions = run.manifest.get("sessions")
    last = sessions[-1] if isinstance(sessions, list) and sessions else {}
    return Path(str(last.get("folder", "."))) if isinstance(last, dict) else Path()


def _introduction(run: RunData) -> str:
    seed = run.config.get("seed", 0)
    return (
        "A class activation map shows which places of an image speak for its true class, whether or not the network "
        "predicts that class. All networks see the same test images, each at its own resolution. The images were drawn "
        f"at random, one per class; each network was trained with seed {seed}. So few images only illustrate: the "
        "accuracies say how good the networks are."
    )


def _caption(rows: Sequence[MapRow], images: Images) -> str:
    pairs = [(row.label, zip(row.maps, images.classes, strict=True)) for row in rows]
    right = [f"{label} {sum(seen.predicted == true for seen, true in both)}" for label, both in pairs]
    return (
        "Bright: speaks most for the true class, dark: least, on each map's own scale. Maps are as coarse as the last "
        f"feature map and were smoothed. Correct predictions, of {len(images.classes)}: {', '.join(right)}."
    )


def _table(name: str, maps: Sequence[tuple[ShownNetwork, Sequence[ActivationMap]]], images: Images) -> Table:
    columns = [
        Column("network", "network"), Column("multiple", "cost", "x baseline", lambda value: f"{value:g}"),
        Column("accuracy", "test accuracy", "%", percentage, "Of all test images, mean over seeds."),
    ]  # fmt: skip
    columns += [Column(f"image_{place}", true) for place, true in enumerate(images.classes, start=1)]
    rows: list[dict[str, Cell]] = []
    for member, seen in maps:
        row: dict[str, Cell] = {f"image_{place}": one.predicted for place, one in enumerate(seen, start=1)}
        row |= {"network": curve_name(member.curve), "multiple": member.multiple, "accuracy": member.accuracy}
        rows.append(row)
    return Table(f"{name}-predictions", "Predictions; columns are the true classes", columns, rows)

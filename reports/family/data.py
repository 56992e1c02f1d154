"""Families of the runs' baselines, phi = 0 to 7, and measured accuracies by parameters and multiply-adds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.curves.data import Dot
from reports.grid.data import coefficients_of
from reports.page.values import estimate_of
from reports.reading.runs import Kind, RunData
from scaling.coefficients_file import Found, read
from scaling.curves.config import BASELINE
from scaling.family_members import FamilyMember, MemoryBudget, grow
from search_spaces.metrics.compute import compute_all
from search_spaces.networks.arch import Arch
from search_spaces.networks.layers import walk
from search_spaces.resizing.compound import PAPER, Coefficients
from search_spaces.resizing.rounding import Rounding
from studies.statistics.intervals import Estimate

PHIS = range(8)
BATCH = 128
CHOICE = "choice of the grid"


@dataclass(frozen=True)
class GrownFamily:
    """The members at phi = 0, 1, ... of one baseline.

    label    of the run it comes from
    is_own   whether a grid found the coefficients; else they are the paper's
    refused  why it ends before phi = 7; empty if it does not
    """

    label: str
    baseline: Arch
    coefficients: Coefficients
    is_own: bool
    members: tuple[FamilyMember, ...]
    batch: int
    refused: str = ""


@dataclass(frozen=True)
class MeasuredNetwork:
    """A network that a run trained: how it was grown (or "choice ..."), its metrics, its accuracy on test images."""

    run: str
    dataset: str
    name: str
    metrics: Mapping[str, float]
    accuracy: Estimate
    upsampled: bool = False


def families(runs: Sequence[RunData], labels: Sequence[str]) -> list[GrownFamily]:
    """A family for each grid; without one, for each other run's baseline, by the paper's coefficients."""
    grown = [_grown(run, label) for run, label in zip(runs, labels, strict=True) if run.kind is Kind.GRID]
    own = [family for family in grown if family is not None]
    if own:
        return own
    by_paper = [_by_paper(run, label) for run, label in zip(runs, labels, strict=True)]
    known = {family.members[0].arch.key: family for family in by_paper if family is not None and family.members}
    return list(known.values())


def convolutions(arch: Arch) -> int:
    """Convolution and linear layers of a network, those of squeeze-and-excitation included."""
    return sum(layer.kind in ("conv", "linear") for layer in walk(arch))


def measured(run: RunData, label: str, dots: Sequence[Dot]) -> list[MeasuredNetwork]:
    """The networks of a run with their accuracies on test images; the paper's own settings are left out."""
    dataset = str(run.setting("data.dataset", "unknown data"))
    if run.kind is Kind.CURVES:
        return [
            MeasuredNetwork(label, dataset, dot.curve, dot.metrics, dot.accuracy, dot.upsampled)
            for dot in dots
            if not dot.is_raw
        ]
    choice = run.result.get("choice")
    test = estimate_of(choice.get("test_accuracy")) if isinstance(choice, Mapping) else None
    arch = run.arch("choice.json") if test else None
    if arch is None or test is None:
        return []
    return [MeasuredNetwork(label, dataset, CHOICE, compute_all(arch), test)]


def _grown(run: RunData, label: str) -> GrownFamily | None:
    if coefficients_of(run.result.get("coefficients")) is None:
        return None
    try:
        found = read(run.folder / "coefficients.json")
    except ValueError as error:
        run.notes.append(str(error))
        return None
    batch = run.config.get("batch_size")
    return _family(found, label, True, batch if isinstance(batch, int) and batch > 0 else BATCH)


def _by_paper(run: RunData, label: str) -> GrownFamily | None:
    """The baseline of curves, or the network that a search found, grown by the paper's coefficients."""
    if run.kind is Kind.SEARCH:
        arch = run.arch("best.json")
    else:
        given = run.result.get("baseline")
        try:
            arch = Arch.from_json(json.dumps(given)) if isinstance(given, Mapping) else None
        except ValueError:
            arch = None
    return None if arch is None else _family(Found(PAPER, arch, Rounding()), label, False, BATCH)


def _family(found: Found, label: str, is_own: bool, batch: int) -> GrownFamily:
    members: list[FamilyMember] = []
    refused = ""
    for phi in PHIS:
        try:
            members.append(
                grow(found.baseline, found.coefficients, phi, found.rounding, MemoryBudget(batch, None), False)
            )
        except ValueError as error:
            refused = str(error)
            break
    return GrownFamily(label, found.baseline, found.coefficients, is_own, tuple(members), batch, refused)


def strategies(points: Sequence[MeasuredNetwork]) -> list[str]:
    """The names among measured networks, the baseline first."""
    names = list(dict.fromkeys(point.name for point in points))
    return sorted(names, key=lambda name: name != BASELINE)

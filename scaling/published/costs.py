"""The cost of the paper's scaled networks as we scale them, and what may explain a difference from its figures."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaling.published.efficientnet import DIGIT, PublishedScaling
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Multipliers, scale
from search_spaces.resizing.strategy import SINGLE
from search_spaces.zoo.registry import get

SYMBOLS = dict(zip(SINGLE, "dwr", strict=True))
# Two rows whose costs are this near to each other's figures count as exchanged.
EXCHANGE_TOLERANCE = 0.02
# Multipliers, in hundredths, among which the one of a printed cost is searched.
HUNDREDTHS = range(50, 1000)


@dataclass(frozen=True, slots=True)
class Realised:
    """A row of the paper, the network that it describes, scaled with the papers' rounding, and its multiply-adds."""

    row: PublishedScaling
    arch: Arch
    macs: int

    @property
    def difference(self) -> float:
        """Our cost over the published one, less 1."""
        return self.macs / self.row.macs - 1

    @property
    def agrees(self) -> bool:
        """Whether ours, rounded as the paper rounds, is what it prints."""
        return round(self.macs / DIGIT) * DIGIT == self.row.macs

    @property
    def base(self) -> int:
        """Multiply-adds of our baseline."""
        return cost(get(self.row.baseline)).macs

    @property
    def single(self) -> str:
        """The one dimension that grows; empty if none or several do."""
        grown = [name for name in SINGLE if getattr(self.row.multipliers, name) != 1]
        return grown[0] if len(grown) == 1 else ""

    @property
    def label(self) -> str:
        """The row in short, such as "resnet50 d=4"."""
        asked = self.row.multipliers
        grown = (f"{SYMBOLS[name]}={getattr(asked, name):g}" for name in SINGLE if getattr(asked, name) != 1)
        return " ".join((self.row.baseline, *grown))

    @property
    def file(self) -> str:
        """The row as a file name without its ending, such as "resnet50-d4"."""
        return self.label.replace(" ", "-").replace("=", "")


def realise(row: PublishedScaling) -> Realised:
    """The row's network, built from our baseline."""
    asked = row.multipliers
    arch = scale(get(row.baseline), depth=asked.depth, width=asked.width, resolution=asked.resolution)
    return Realised(row, arch, cost(arch).macs)


def explain(one: Realised, others: Sequence[Realised]) -> str:
    """Possible reasons for a difference, each computed; empty if the figures agree."""
    return (
        ""
        if one.agrees
        else "; ".join((*_last_digit(one), *_exchanged(one, others), *_unstated(one), *_other_roundings(one)))
    )


def _last_digit(one: Realised) -> Iterator[str]:
    if abs(round(one.macs / DIGIT) * DIGIT - one.row.macs) <= DIGIT:
        yield "one unit of the printed digit"


def _exchanged(one: Realised, others: Sequence[Realised]) -> Iterator[str]:
    for other in others:
        if other.row.baseline != one.row.baseline or other.agrees or other is one:
            continue
        ours, theirs = one.macs / other.row.macs - 1, other.macs / one.row.macs - 1
        if max(abs(ours), abs(theirs)) <= EXCHANGE_TOLERANCE:
            yield f"{ours:+.1%} from the figure printed for {other.label}, as if the two were exchanged"


def _unstated(one: Realised) -> Iterator[str]:
    if not one.row.stated:
        yield "the paper states no multipliers for this row; these are MobileNetV1's and B0's"


def _other_roundings(one: Realised) -> Iterator[str]:
    """What the printed cost would require, or the cost under other roundings."""
    if one.single == "resolution":
        factor = one.row.multipliers.resolution**2
        needed, base = (format_count(value, 4) for value in (round(one.row.macs / factor), one.base))
        yield f"r^2 = {factor:g} times the cost of every convolution: the baseline would need {needed}, it has {base}"
    if one.single:
        yield f"the printed cost is that of {SYMBOLS[one.single]} = {_multiplier(one, one.single):.2g}"
    elif one.row.multipliers != Multipliers():
        yield from list(_nearer(one)) or [_unexplained(one)]


def _nearer(one: Realised) -> Iterator[str]:
    """The other roundings that come nearer to the printed cost than ours."""
    for rounding, spent in _roundings(one):
        if abs(spent - one.row.macs) < abs(one.macs - one.row.macs):
            yield f"{rounding}: {format_count(spent, 3)}"


def _roundings(one: Realised) -> Iterator[tuple[str, int]]:
    """Other ways of rounding, where they differ from ours, and the multiply-adds that they lead to."""
    if one.row.multipliers.depth != 1:
        yield "layers rounded to the nearest, not up", _nearest_layers(one)
    whole = one.arch.resolution // one.arch.total_stride * one.arch.total_stride
    if whole != one.arch.resolution:
        spent = cost(one.arch.replace(resolution=whole)).macs
        yield f"at {whole} px, a multiple of the network's stride", spent


def _unexplained(one: Realised) -> str:
    *some, last = (f"{SYMBOLS[name]} = {_multiplier(one, name):.3g}" for name in SINGLE)
    return f"no other rounding comes nearer, unexplained; one change alone would do: {', '.join(some)} or {last}"


def _multiplier(one: Realised, name: str) -> float:
    """The multiplier of a dimension at which the network's cost is nearest to the printed, the others as in the row."""
    asked = {each: getattr(one.row.multipliers, each) for each in SINGLE}
    baseline = get(one.row.baseline)

    def spent(hundredths: int) -> int:
        return cost(scale(baseline, **asked | {name: hundredths / 100})).macs

    above = bisect_left(HUNDREDTHS, one.row.macs, key=spent)
    nearest = min(HUNDREDTHS[max(0, above - 1) : above + 1], key=lambda each: abs(spent(each) - one.row.macs))
    return nearest / 100


def _nearest_layers(one: Realised) -> int:
    asked: Multipliers = one.row.multipliers
    before = get(one.row.baseline).stages
    stages = tuple(
        dataclasses.replace(stage, layers=max(1, round(old.layers * asked.depth)))
        for stage, old in zip(one.arch.stages, before, strict=True)
    )
    return cost(one.arch.replace(stages=stages)).macs

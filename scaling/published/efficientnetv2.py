"""EfficientNetV2-S scaled to the cost of the published M and L (V2, arXiv 2104.00298, Section 3.3)."""

from __future__ import annotations

import textwrap
from functools import cache

from search_spaces.common.text import align_columns
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import cost
from search_spaces.networks.arch import Arch
from search_spaces.resizing.matching import solve
from search_spaces.resizing.registry import get_strategy
from search_spaces.resizing.shapes import channels_of, layers_of
from search_spaces.zoo.registry import get

BASELINE = "efficientnetv2_s"
PUBLISHED = ("efficientnetv2_m", "efficientnetv2_l")
STRATEGIES = ("v2", "compound")
HEADER = ("", "px", "layers", "channels", "params", "FLOPs")
WIDTH = 120


def side_by_side() -> str:
    """For M and L: the published network, and S grown by v2 and by compound scaling to its multiply-adds, as text."""
    title = "V2, Section 3.3: EfficientNetV2-S scaled to the FLOPs of the published M and L"
    parts = (_network(BASELINE, [("published", get(BASELINE))]), *(_network(name, _rows(name)) for name in PUBLISHED))
    notes = (textwrap.fill(f"{name}: {_last_stage(get(name))}.", WIDTH) for name in PUBLISHED)
    about = (
        "Channels are stem, stages, head. v2: compound scaling (1.2/1.1/1.15) up to 480 px, the last third of the "
        "stages deepened twice as fast; what the cap takes from resolution goes to depth and width. The paper's M "
        "and L have a seventh stage, and their head keeps its width; no scaling of S gives that."
    )
    return "\n\n".join((title, *parts, "\n".join((textwrap.fill(about, WIDTH), *notes))))


@cache
def scaled(name: str, strategy: str) -> Arch:
    """S grown by a strategy to the multiply-adds of a published network."""
    return solve(get(BASELINE), get_strategy(strategy), cost(get(name)).macs).arch


def _rows(name: str) -> list[tuple[str, Arch]]:
    return [("published", get(name)), *((strategy, scaled(name, strategy)) for strategy in STRATEGIES)]


def _network(name: str, rows: list[tuple[str, Arch]]) -> str:
    lines = [(label, *_cells(arch)) for label, arch in rows]
    return align_columns((name, *HEADER[1:]), lines, left=(name,))


def _cells(arch: Arch) -> tuple[str, ...]:
    spent = cost(arch)
    sizes = (" ".join(map(str, sizes)) for sizes in (layers_of(arch), channels_of(arch)))
    return (str(arch.resolution), *sizes, format_count(spent.params, 4), format_count(spent.macs, 4))


def _last_stage(arch: Arch) -> str:
    """The cost of the stage that S does not have, computed by leaving it out."""
    whole, without = cost(arch), cost(arch.replace(stages=arch.stages[:-1]))
    share = (whole.params - without.params) / whole.params
    return (
        f"without its seventh stage {format_count(without.params, 4)} parameters and {format_count(without.macs, 4)} "
        f"FLOPs; that stage holds {share:.0%} of the parameters"
    )

"""The scaling strategies by name, a row each; strategies by exponents; a user's own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from search_spaces.common.palette import BLUE, GREEN, OLIVE, ORANGE, RED, SKY, PlottedRow
from search_spaces.common.registry import Registry
from search_spaces.common.suggest import nearest
from search_spaces.common.user_code import called
from search_spaces.resizing.compound import PAPER
from search_spaces.resizing.strategy import CAP, V2, Strategy, non_uniform

CONTRACT = "must be a Strategy, or a function without arguments that returns one"


@dataclass(frozen=True, kw_only=True)
class ScalingStrategy(PlottedRow):
    """A scaling strategy's row. Its code is a `Strategy`, or a function without arguments that returns one.

    in_families  whether `scaling.family` takes it: members grow by coefficients, and only its cap and its depth weights
                 count. A user's own is always taken
    """

    in_families: bool = False

    def strategy(self) -> Strategy:
        """The strategy, under the row's name. Raises ValueError, with the contract, if the code is something else."""
        found = self.load()
        if callable(found):
            found = called(f"scaling strategy {self.name}", found)
        if not isinstance(found, Strategy):
            raise ValueError(f"scaling strategy {self.name} {CONTRACT}, got {type(found).__name__}")
        return dataclasses.replace(found, name=self.name)


def adopt(name: str, found: Any) -> ScalingStrategy:
    """The row of a user's strategy, or of a function that makes one."""
    if not (isinstance(found, Strategy) or callable(found)):
        raise ValueError(f"{CONTRACT}, got {type(found).__name__}")
    return ScalingStrategy(name=name, code=name, label=name)


_CODE = "search_spaces.resizing.strategy"
_EN, _V2 = "EfficientNet, arXiv 1905.11946", "EfficientNetV2, arXiv 2104.00298"
STRATEGIES = Registry(
    "scaling strategy",
    [
        ScalingStrategy(
            name="depth",
            code=f"{_CODE}:DEPTH",
            label="depth alone",
            source=f"{_EN}, Section 3.2",
            color=BLUE,
            marker="v",
        ),
        ScalingStrategy(
            name="width",
            code=f"{_CODE}:WIDTH",
            label="width alone",
            source=f"{_EN}, Section 3.2",
            color=ORANGE,
            marker="s",
        ),
        ScalingStrategy(
            name="resolution",
            code=f"{_CODE}:RESOLUTION",
            label="resolution alone",
            source=f"{_EN}, Section 3.2",
            color=GREEN,
            marker="^",
        ),
        ScalingStrategy(
            name="compound",
            code=f"{_CODE}:COMPOUND",
            label=f"all three, by EfficientNet's {PAPER}",
            source=f"{_EN}, Section 3.3",
            color=RED,
            marker="D",
            in_families=True,
        ),
        ScalingStrategy(
            name="fast",
            code=f"{_CODE}:FAST",
            label="mostly width (dWr)",
            source="Fast and Accurate Model Scaling, arXiv 2103.06877, Section 4",
            color=SKY,
            marker="X",
        ),
        ScalingStrategy(
            name=V2,
            code=f"{_CODE}:NON_UNIFORM",
            label=f"compound up to {CAP} px, layers added late first",
            source=f"{_V2}, Section 3.3",
            color=OLIVE,
            marker="p",
            in_families=True,
        ),
    ],
    adopt,
    forms=(f"{V2}:PX", "d:w:r"),
)

FAMILY_STRATEGIES = Registry(
    STRATEGIES.kind, [row for row in STRATEGIES.values() if row.in_families], adopt, forms=(f"{V2}:PX",)
)
"""Those that `scaling.family` takes."""


def get_strategy(text: str) -> Strategy:
    """A strategy by name, by exponents d:w:r such as 1:1:1 (shares of the growth in cost; any scale), or v2:PX.

    v2:PX is v2 with another cap, for smaller images; `module:name` is a user's own `Strategy`, or a function that
    returns one. Raises ValueError, with the nearest known name, for anything else.
    """
    if text in STRATEGIES or STRATEGIES.is_own(text):
        return STRATEGIES.row(text).strategy()
    parts = text.split(":")
    if parts[0] == V2 and len(parts) == 2 and parts[1].isdecimal() and int(parts[1]):
        return non_uniform(PAPER, text, cap=int(parts[1]))
    try:
        shares = [float(part) for part in parts]
    except ValueError:
        shares = []
    if len(shares) != 3:
        raise ValueError(
            f"unknown scaling strategy '{text}'{nearest(text, STRATEGIES)}; or give {' or '.join(STRATEGIES.forms)}, "
            "such as 1:1:1, or your own as module:name"
        )
    whole = sum(shares) or 1.0
    depth, width, resolution = (share / whole for share in shares)
    return Strategy(text, depth, width, resolution)

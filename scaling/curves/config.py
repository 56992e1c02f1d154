"""The settings of scaling curves. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scaling.experiment.config import RESUMABLE as SHARED
from scaling.experiment.config import ExperimentConfig
from search_spaces.common.checks import check_different, check_minimum
from search_spaces.common.settings import setting, without
from search_spaces.resizing.registry import get_strategy

# Curves with names of their own: the baseline, and compound scaling by coefficients found by scaling.grid.
BASELINE, FOUND = "baseline", "compound-found"
# A law is fitted to at least so many different networks.
MIN_LAW_NETWORKS = 5
# EN, Figure 3: the multipliers of its single-dimension curves.
DEPTHS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
WIDTHS = (1.0, 1.4, 1.8, 2.6, 3.8, 5.0)
RESOLUTIONS = (1.0, 1.3, 1.5, 1.7, 1.9, 2.2, 2.5)
# EN, Figure 4: depth and resolution multipliers of its four width curves.
WIDTH_CURVES = ((1.0, 1.0), (1.0, 1.3), (2.0, 1.0), (2.0, 1.3))
# Beyond what anybody trains; EN-B7 has 97 times B0's FLOPs.
MAX_MULTIPLE = 1024.0
# These say how much to do. A run may resume with more of it, because its trainings stay what they were.
EXTENDABLE = frozenset({"strategies", "multiples", "coefficients", "main_seeds", "raw", "most", "runs"})
RESUMABLE = SHARED | EXTENDABLE


@dataclass(frozen=True)
class CurvesConfig(ExperimentConfig):
    """Networks scaled by one dimension and by all, at equal cost.

    Attributes:
        strategies: Scaling strategies: {labels}. v2:PX is v2 with another cap, d:w:r such as 1:1:1 are exponents.
        multiples: Multiples of the baseline's FLOPs to grow to.
        coefficients: File of coefficients found by scaling.grid, shown as compound-found. Default: none.
        main_seeds: Seeds at the largest multiple, where compound is compared with the others; 0 is the same as --seeds.
        raw: Also train the paper's own settings: single multipliers, and width curves at four depths and resolutions.
        most: Largest multiple of the baseline's FLOPs among the paper's own settings.
        runs: Timed runs of each network's latency (batch 1, one thread).

    """

    strategies: tuple[str, ...] = setting(
        ("depth", "width", "resolution", "compound", "fast"), registry="search_spaces.resizing.registry:STRATEGIES"
    )
    multiples: tuple[float, ...] = (1.0, 2.0, 4.0)
    coefficients: str = ""
    main_seeds: int = 6
    raw: bool = False
    most: float = 8.0
    runs: int = 20
    run: str = "runs/curves"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.strategies:
            get_strategy(name)
        check_different("strategies", self.strategies)
        check_different("multiples", self.multiples)
        if not self.multiples or not all(0 < value <= MAX_MULTIPLE for value in self.multiples):
            given = " ".join(f"{value:g}" for value in self.multiples)
            raise ValueError(f"--multiples must be greater than 0 and at most {MAX_MULTIPLE:g}, got {given}")
        if not self.strategies and not self.raw and not self.coefficients:
            raise ValueError("nothing to train: give --strategies, --coefficients or --raw")
        check_minimum(self, {"main_seeds": 0, "runs": 1})
        if not self.most >= 1:
            raise ValueError(f"--most must be at least 1, got {self.most:g}")

    def identity(self) -> dict[str, Any]:
        """See `ExperimentConfig.identity`."""
        return without(super().identity(), RESUMABLE)

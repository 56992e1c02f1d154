"""The conclusions of curves, as values and as sentences: the command prints them and the report shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaling.curves.config import FOUND
from scaling.curves.rate_effect import RateEffect
from scaling.experiment.wording import ONE_SEED, intervals, points, sentence
from scaling.law.fit import best_or_none
from search_spaces.resizing.compound import PAPER
from studies.statistics.comparisons import Contrast
from studies.statistics.intervals import finite

if TYPE_CHECKING:
    from scaling.curves.analysis import CurvesAnalysis
    from scaling.law.response import Response

# The key of the learning rates in curves.json, which only --lr-per-network writes.
RATES = "learning_rates"
COMPOUND_NAMES = {"compound": f"compound ({PAPER})", FOUND: "compound (found here)"}


def curve_name(curve: str) -> str:
    """A curve as people read it."""
    return COMPOUND_NAMES.get(curve, curve)


@dataclass(frozen=True)
class PredictedAccuracy:
    """A network of the largest multiple: its mean accuracy, and the prediction (0 to 1) from smaller networks."""

    curve: str
    accuracy: float
    predicted: float
    lower: float
    upper: float


@dataclass(frozen=True)
class CurvesConclusions:
    """What curves found and how sure that is.

    multiple         of the baseline's FLOPs, at which strategies are compared
    others           see `CurvesAnalysis`
    predicted        the largest networks as a law fitted to the smaller ones predicts them
    """

    multiple: float
    compound: str
    found_alone: str
    best_single: str
    main: Contrast | None
    against_all: Mapping[str, Contrast]
    paper: Contrast | None
    slope: float
    predicted: tuple[PredictedAccuracy, ...]
    loglinear_error: float
    rates: RateEffect | None = None

    @classmethod
    def of(cls, analysis: CurvesAnalysis, multiple: float) -> CurvesConclusions:
        """The conclusions of curves that were just trained, with strategies compared at `multiple`."""
        return cls(
            multiple=multiple,
            compound=analysis.compound,
            found_alone=analysis.found_alone,
            best_single=analysis.best_single,
            main=analysis.main,
            against_all=analysis.against_all,
            paper=analysis.paper,
            slope=analysis.slope,
            predicted=tuple(
                PredictedAccuracy(p.planned.curve, p.accuracy, p.prediction.mean, p.prediction.lower,
                                  p.prediction.upper)
                for p in analysis.predicted
            ),
            loglinear_error=analysis.loglinear_error,
            rates=analysis.rates,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as curves.json holds them."""
        return {
            "multiple": self.multiple,
            "compound": self.compound,
            "found_alone": self.found_alone or None,
            "best_single": self.best_single or None,
            "main": self.main and self.main.to_dict(),
            "against_all": {name: contrast.to_dict() for name, contrast in self.against_all.items()},
            "found_against_paper": self.paper and self.paper.to_dict(),
            "accuracy_per_doubling": self.slope,
            "predicted": [
                {
                    "curve": one.curve,
                    "accuracy": one.accuracy,
                    "predicted": one.predicted,
                    "lower": one.lower,
                    "upper": one.upper,
                }
                for one in self.predicted
            ],
            "loglinear_error": finite(self.loglinear_error),
            **({RATES: self.rates.to_dict()} if self.rates else {}),
        }

    @classmethod
    def of_file(cls, values: Mapping[str, Any]) -> CurvesConclusions:
        """The conclusions in a curves.json. Raises ValueError if one is missing or of another type."""
        try:
            error = values["loglinear_error"]
            return cls(
                multiple=float(values["multiple"]),
                compound=str(values["compound"]),
                found_alone=values["found_alone"] or "",
                best_single=values["best_single"] or "",
                main=values["main"] and Contrast.of_dict(values["main"]),
                against_all={name: Contrast.of_dict(contrast) for name, contrast in values["against_all"].items()},
                paper=values["found_against_paper"] and Contrast.of_dict(values["found_against_paper"]),
                slope=float(values["accuracy_per_doubling"]),
                predicted=tuple(
                    PredictedAccuracy(str(one["curve"]), *(float(one[name]) for name in
                                      ("accuracy", "predicted", "lower", "upper")))
                    for one in values["predicted"]
                ),
                loglinear_error=math.nan if error is None else float(error),
                rates=RateEffect.of_dict(values[RATES]) if RATES in values else None,
            )  # fmt: skip
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a conclusion is missing or broken ({type(error).__name__}: {error})") from None

    def describe_main(self) -> list[str]:
        """Compound against the best single dimension, and the coefficients found against the paper's."""
        if self.main is None:
            return []
        contrast = self.main.sentence(curve_name(self.compound), f"{self.best_single} (the best single dimension)")
        lines = [
            f"At x{self.multiple:g} the baseline's FLOPs, on test images, paired by seed and matched to the same "
            f"FLOPs: {contrast}."
        ]
        if self.found_alone:
            lines.append(f"The coefficients found here grow {self.found_alone} alone: they give the same network.")
        if self.paper:
            lines.append(sentence(self.paper.sentence(curve_name(FOUND), curve_name("compound"))))
        return lines

    def describe_rates(self) -> list[str]:
        """The networks' learning rates, and whether the recipe's would give other verdicts; nothing without them."""
        if self.rates is None:
            return []
        effect, ours = self.rates, curve_name(self.compound)
        start = f"With the recipe's {effect.rates.lr:g} for all networks"
        if self.main is None or not effect.verdict:
            return [effect.rates.describe(), f"{start} there is no verdict on {ours} to compare with."]
        own = f"{self.main.verdict} against {self.best_single}"
        then = f"{effect.verdict} against {effect.best_single}"
        change = f"the same, {then}" if then == own else f"{then} in place of {own}"
        others = {
            curve_name(name): f"{effect.verdicts[name]} in place of {contrast.verdict}"
            for name, contrast in self.against_all.items()
            if effect.verdicts.get(name, contrast.verdict) != contrast.verdict
        }
        listed = ", ".join(f"{name} ({verdict})" for name, verdict in others.items()) or "none"
        return [
            effect.rates.describe(),
            f"{start} the verdict on {ours} would be {change}. Curves against which it would differ, with simultaneous "
            f"intervals: {listed}.",
        ]

    def describe_prediction(self) -> list[str]:
        """How well a law fitted to the smaller networks predicts the largest ones."""
        if not self.predicted:
            return []
        error = sum(abs(one.predicted - one.accuracy) for one in self.predicted) / len(self.predicted)
        inside = sum(one.lower <= one.accuracy <= one.upper for one in self.predicted)
        baseline = f"; log-linear baseline: {points(self.loglinear_error)}" * math.isfinite(self.loglinear_error)
        return [
            f"A law fitted to the smaller networks predicts the {len(self.predicted)} at x{self.multiple:g} to "
            f"{points(error)} on average ({inside} inside their 95 % interval{baseline})."
        ]

    def warnings(self, seeds: int) -> list[str]:
        """What a reader must know before using the comparisons; `seeds` is the largest number of any network."""
        lines = [ONE_SEED] if seeds < 2 else []
        if self.main and self.main.warning:
            lines.append(f"{self.main.warning} (--main-seeds 6)")
        return lines


def describe_expectation(law: Response, multiple: float, max_resolution: float) -> list[str]:
    """What a law expects of the best network at a multiple that was never trained; nothing if none is within reach.

    Args:
        law: fitted to all networks
        multiple: of the baseline's FLOPs
        max_resolution: the images' side over the baseline's

    """
    best = best_or_none(law, multiple, max_resolution)
    if best is None:
        return []
    gains = "; ".join(
        f"over {name} alone {gain}{_upsampling(name, multiple, max_resolution)}" for name, gain in best.gains.items()
    )
    return [
        f"At x{multiple:g}, which was never trained, a law fitted to all networks expects at best {best.prediction}. "
        f"The optimum is {intervals(best.intervals)} (95 % intervals).",
        f"Expected gain there: {gains}.",
    ]


def _upsampling(name: str, multiple: float, max_resolution: float) -> str:
    """A remark if a single dimension needs more pixels than the images have."""
    needed = math.sqrt(multiple)
    if name != "resolution" or needed <= max_resolution:
        return ""
    return f" (needs x{needed:.3g} the pixels a side; the images have x{max_resolution:.3g})"

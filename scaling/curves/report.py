"""What curves say before and after their trainings, on screen."""

from __future__ import annotations

import math
from pathlib import Path

from scaling.curves.analysis import CurvesAnalysis, analyse
from scaling.curves.files import POINTS, SUMMARY
from scaling.curves.plan import FOUND, CurvePoint, CurvesPlan
from scaling.curves.run import CurvesResult, TrainedPoint, compound, found_alone, wanted
from scaling.law.fit import best_or_none
from scaling.law.response import Response
from search_spaces.common.text import align_columns, align_facts, pluralise
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import CONVENTION

PAPER = "EN's 1.2/1.1/1.15"


def describe_plan(plan: CurvesPlan) -> str:
    """What is going to be trained."""
    config = plan.config
    different = len({point.arch.key for point in plan.points})
    facts = {
        "baseline": plan.baseline.describe(),
        "networks": f"{len(plan.points)} points on curves, {different} different networks"
        + (f"; {plan.left_out} of the paper's settings cost more than --most {config.most:g}" * bool(plan.left_out)),
        "trainings": f"{len(wanted(plan))}: {pluralise(config.seeds, 'seed')} each, {config.main_seeds} at "
        f"x{plan.largest:g}; {config.epochs} x {config.images or 'all'} images of "
        f"{config.dataset}, recipe {config.recipe}",
    }
    if plan.resources:
        facts["workers"] = f"{plan.resources.describe()}, {plan.resources.gpus_per_trial:g} GPU each"
    header = ("curve", "multiple", "nominal d", "w", "r", "realised d", "w", "r", "px", "FLOPs", "cost", "misses", "")
    return f"{align_facts(facts)}\n\n{align_columns(header, [_planned(point) for point in plan.points])}"


def report(outcome: CurvesResult, folder: Path) -> str:
    """The answer as text."""
    answer = analyse(outcome)
    parts = (
        _headline(outcome),
        _table(outcome, answer),
        "\n".join(_verdict(outcome, answer)),
        "\n".join(_law(outcome, answer)),
        "\n".join(_warnings(outcome, answer)),
        _files(folder),
    )
    return "\n\n".join(filter(None, parts))


def _planned(point: CurvePoint) -> tuple[str, ...]:
    asked = point.growth.nominal
    return (
        point.curve,
        f"x{point.multiple:.3g}",
        *(f"{value:.3g}" for value in (asked.depth, asked.width, asked.resolution)),
        *_grown(point),
        _missed(point),
        "upsampled" if point.upsampled else "",
    )


def _grown(point: CurvePoint) -> tuple[str, ...]:
    got = point.growth.realised
    return (
        *(f"{value:.3g}" for value in (got.depth, got.width, got.resolution)),
        str(point.arch.resolution),
        format_count(point.macs, 4),
        f"{point.growth.macs_ratio:.3g}",
    )


def _missed(point: CurvePoint) -> str:
    return f"{point.macs / point.target - 1:+.1%}" if point.target else ""


def _headline(outcome: CurvesResult) -> str:
    config = outcome.plan.config
    training = f"{config.epochs} x {config.images or 'all'} images, recipe {config.recipe}"
    return f"Scaling curves on {config.dataset}: {training}\n{outcome.plan.baseline.describe()}"


def _table(outcome: CurvesResult, answer: CurvesAnalysis) -> str:
    header = ("curve", "multiple", "d", "w", "r", "px", "FLOPs", "cost", "params", "accuracy", "seeds", "latency", "")
    rows = [_line(point, mean.percent) for point, mean in zip(outcome.points, answer.means, strict=True)]
    return (
        f"{align_columns(header, rows)}\n"
        "accuracy: of test images, mean of the seeds with its 95 % interval (variance pooled over all networks); "
        f"d, w, r and cost as realised, over the baseline. {CONVENTION}\n"
        f"latency: of one image on one thread, median of {pluralise(outcome.plan.config.runs, 'run')}."
    )


def _line(point: TrainedPoint, accuracy: str) -> tuple[str, ...]:
    return (
        point.planned.curve,
        f"x{point.planned.multiple:.3g}",
        *_grown(point.planned),
        format_count(point.cost.params, 4),
        accuracy,
        str(len(point.test)),
        f"{1000 * point.latency.median:.2f}ms",
        "upsampled" if point.planned.upsampled else "",
    )


def _verdict(outcome: CurvesResult, answer: CurvesAnalysis) -> list[str]:
    """The main contrast, then all of them, in words."""
    if answer.main is None:
        return []
    ours, largest, alone = compound(outcome), outcome.plan.largest, found_alone(outcome)
    lines = [
        f"At x{largest:g}, on test images, paired by seed, closed to the same FLOPs:",
        f"  {answer.main.sentence(_long(ours), answer.rival)} (the best single dimension)",
    ]
    if alone:
        lines.append(f"  the coefficients found here grow {alone} alone: at x{largest:g} they give its very network")
    if answer.paper:
        lines.append(f"  {answer.paper.sentence(_long(FOUND), _long('compound'))}")
    if answer.all_main:
        lines.append("Against every other curve, intervals holding for all at once, on the seeds that all have:")
        lines += [f"  {contrast.sentence(_long(ours), _long(name))}" for name, contrast in answer.all_main.items()]
    return lines


def _long(curve: str) -> str:
    return {"compound": f"compound ({PAPER})", FOUND: "compound (found here)"}.get(curve, curve)


def _law(outcome: CurvesResult, answer: CurvesAnalysis) -> list[str]:
    lines = []
    if answer.foretold:
        error = sum(abs(one.prediction.mean - one.accuracy) for one in answer.foretold) / len(answer.foretold)
        inside = sum(one.prediction.lower <= one.accuracy <= one.prediction.upper for one in answer.foretold)
        lines.append(
            f"A law fitted to the smaller networks predicts the {len(answer.foretold)} at x{outcome.plan.largest:g} to "
            f"{100 * error:.1f} points on average ({inside} inside their 95 % interval); a straight line in log FLOPs "
            f"to {100 * answer.straight:.1f}."
        )
    if answer.law:
        lines += _beyond(answer.law, 2 * max(1.0, outcome.plan.largest), _limit(outcome))
    return lines


def _beyond(law: Response, multiple: float, max_resolution: float) -> list[str]:
    """What a law expects of a larger network than any that was trained; nothing where none is within reach."""
    best = best_or_none(law, multiple, max_resolution)
    if best is None:
        return []
    ends = ", ".join(f"{name} {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for name, one in best.intervals.items())
    return [
        f"Fitted to all, at x{multiple:g}, never trained, it expects {best.prediction} at {ends}.",
        *(
            f"  gain there over {name} alone: {gain}{_unseen(name, multiple, max_resolution)}"
            for name, gain in best.gains.items()
        ),
    ]


def _unseen(name: str, multiple: float, max_resolution: float) -> str:
    """A remark where a single dimension would need more pixels than the images have."""
    needed = math.sqrt(multiple)
    if name != "resolution" or needed <= max_resolution:
        return ""
    return f" (it would take x{needed:.3g} the pixels a side, the images have x{max_resolution:.3g})"


def _limit(outcome: CurvesResult) -> float:
    return outcome.plan.baseline.pixels / outcome.plan.baseline.trained.resolution


def _warnings(outcome: CurvesResult, answer: CurvesAnalysis) -> list[str]:
    config, lines = outcome.plan.config, []
    if config.seeds < 2:
        lines.append("warning: one seed a network gives no intervals of its own; use --seeds 3 or more")
    if answer.main and answer.main.warning:
        lines.append(f"warning: {answer.main.warning} (--main-seeds 6)")
    if any(point.planned.upsampled for point in outcome.points):
        lines.append(
            f"warning: upsampled networks see more pixels than the images' own {outcome.plan.baseline.pixels}: they "
            "are in no comparison and in no law"
        )
    missing = len(outcome.plan.points) - len(outcome.points)
    if missing:
        lines.append(f"warning: {pluralise(missing, 'place')} without any training that ended: see curves-trials.csv")
    return lines


def _files(folder: Path) -> str:
    return align_facts({
        "points": f"{folder / POINTS}, a line a network and seed",
        "conclusions": f"{folder / SUMMARY}",
        "weights": f"{folder / 'weights'}: the first seed's, as safetensors",
        "all trials": f"{folder / 'curves-trials.csv'}",
        "ledger": f"{folder / 'ledger.db'}",
        "report": f"python -m reports.build {folder}  (a page with everything, to read and to mail)",
    })  # fmt: skip

"""What curves say before and after their trainings, on screen."""

from __future__ import annotations

import math
from pathlib import Path

from scaling.curves_answer import Answer, conclude
from scaling.curves_files import POINTS, SUMMARY
from scaling.curves_plan import FOUND, Place, Plan
from scaling.curves_run import Outcome, Point, compound, found_alone, wanted
from scaling.law import best_or_none
from scaling.response import Response
from search_spaces.table import CONVENTION
from search_spaces.table import align as columns
from search_spaces.units import format_count
from studies.wording import align, percent, several

PAPER = "EN's 1.2/1.1/1.15"


def describe_plan(plan: Plan) -> str:
    """What is going to be trained."""
    config = plan.config
    different = len({place.arch.key for place in plan.places})
    facts = {
        "baseline": plan.ground.describe(),
        "networks": f"{len(plan.places)} places on curves, {different} different networks"
        + (f"; {plan.left_out} of the paper's settings cost more than --most {config.most:g}" * bool(plan.left_out)),
        "trainings": f"{len(wanted(plan))}: {several(config.seeds, 'seed')} each, {config.main_seeds} at "
        f"x{plan.largest:g}; {config.epochs} x {config.images or 'all'} images of "
        f"{config.dataset}, recipe {config.recipe}",
    }
    if plan.resources:
        facts["workers"] = f"{plan.resources.workers} at a time, {plan.resources.gpus_per_trial:g} GPU each"
    header = ("curve", "multiple", "nominal d", "w", "r", "realised d", "w", "r", "px", "FLOPs", "cost", "misses", "")
    return f"{align(facts)}\n\n{columns(header, [_planned(place) for place in plan.places])}"


def report(outcome: Outcome, folder: Path) -> str:
    """The answer as text."""
    answer = conclude(outcome)
    parts = (
        _headline(outcome),
        _table(outcome, answer),
        "\n".join(_verdict(outcome, answer)),
        "\n".join(_law(outcome, answer)),
        "\n".join(_warnings(outcome, answer)),
        _files(folder),
    )
    return "\n\n".join(filter(None, parts))


def _planned(place: Place) -> tuple[str, ...]:
    asked = place.growth.nominal
    return (
        place.curve,
        f"x{place.multiple:.3g}",
        *(f"{value:.3g}" for value in (asked.depth, asked.width, asked.resolution)),
        *_grown(place),
        _missed(place),
        "upsampled" if place.upsampled else "",
    )


def _grown(place: Place) -> tuple[str, ...]:
    got = place.growth.realised
    return (
        *(f"{value:.3g}" for value in (got.depth, got.width, got.resolution)),
        str(place.arch.resolution),
        format_count(place.macs, 4),
        f"{place.growth.macs_ratio:.3g}",
    )


def _missed(place: Place) -> str:
    return f"{place.macs / place.target - 1:+.1%}" if place.target else ""


def _headline(outcome: Outcome) -> str:
    config = outcome.plan.config
    training = f"{config.epochs} x {config.images or 'all'} images, recipe {config.recipe}"
    return f"Scaling curves on {config.dataset}: {training}\n{outcome.plan.ground.describe()}"


def _table(outcome: Outcome, answer: Answer) -> str:
    header = ("curve", "multiple", "d", "w", "r", "px", "FLOPs", "cost", "params", "accuracy", "seeds", "latency", "")
    rows = [_line(point, percent(mean)) for point, mean in zip(outcome.points, answer.means, strict=True)]
    return (
        f"{columns(header, rows)}\n"
        "accuracy: of test images, mean of the seeds with its 95 % interval (variance pooled over all networks); "
        f"d, w, r and cost as realised, over the baseline. {CONVENTION}\n"
        f"latency: of one image on one thread, median of {several(outcome.plan.config.runs, 'run')}."
    )


def _line(point: Point, accuracy: str) -> tuple[str, ...]:
    return (
        point.place.curve,
        f"x{point.place.multiple:.3g}",
        *_grown(point.place),
        format_count(point.cost.params, 4),
        accuracy,
        str(len(point.test)),
        f"{1000 * point.latency.median:.2f}ms",
        "upsampled" if point.place.upsampled else "",
    )


def _verdict(outcome: Outcome, answer: Answer) -> list[str]:
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


def _law(outcome: Outcome, answer: Answer) -> list[str]:
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


def _limit(outcome: Outcome) -> float:
    return outcome.plan.ground.pixels / outcome.plan.ground.trained.resolution


def _warnings(outcome: Outcome, answer: Answer) -> list[str]:
    config, lines = outcome.plan.config, []
    if config.seeds < 2:
        lines.append("warning: one seed a network gives no intervals of its own; use --seeds 3 or more")
    if answer.main and answer.main.warning:
        lines.append(f"warning: {answer.main.warning} (--main-seeds 6)")
    if any(point.place.upsampled for point in outcome.points):
        lines.append(
            f"warning: upsampled networks see more pixels than the images' own {outcome.plan.ground.pixels}: they are "
            "in no comparison and in no law"
        )
    missing = len(outcome.plan.places) - len(outcome.points)
    if missing:
        lines.append(f"warning: {several(missing, 'place')} without any training that ended: see curves-trials.csv")
    return lines


def _files(folder: Path) -> str:
    return align({
        "points": f"{folder / POINTS}, a line a network and seed",
        "conclusions": f"{folder / SUMMARY}",
        "weights": f"{folder / 'weights'}: the first seed's, as safetensors",
        "all trials": f"{folder / 'curves-trials.csv'}",
        "ledger": f"{folder / 'ledger.db'}",
        "report": f"python -m reports.build {folder}  (a page with everything, to read and to mail)",
    })  # fmt: skip

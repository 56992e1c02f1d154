"""What curves say at their end, on screen and in files."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

from scaling.curves_answer import Answer, conclude
from scaling.curves_plan import FOUND, Place, Plan
from scaling.curves_run import Outcome, Point, compound, row, wanted
from search_spaces.table import CONVENTION
from search_spaces.table import align as columns
from search_spaces.units import format_count
from studies.contrasts import Contrast
from studies.runs import Run
from studies.wording import align, estimate_dict, percent, several

POINTS, SUMMARY = "curves.csv", "curves.json"
FORMAT = "triaxis-curves-1"
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


def write_files(outcome: Outcome, run: Run) -> None:
    """Write curves.csv, a line a network and seed, and curves.json, everything that was concluded."""
    run.write(POINTS, _csv(outcome))
    run.write(SUMMARY, json.dumps(_summary(outcome), indent=2) + "\n")


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
    ours, largest = compound(outcome), outcome.plan.largest
    lines = [
        f"At x{largest:g}, on test images, paired by seed, closed to the same FLOPs:",
        f"  {answer.main.sentence(_long(ours), answer.rival)} (the best single dimension)",
    ]
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
        multiple = 2 * outcome.plan.largest
        best = answer.law.best(multiple, max_resolution=_limit(outcome))
        ends = ", ".join(
            f"{name} {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for name, one in best.intervals.items()
        )
        lines.append(f"Fitted to all, at x{multiple:g}, never trained, it expects {best.prediction} at {ends}.")
        lines += [f"  gain there over {name} alone: {gain}" for name, gain in best.gains.items()]
    return lines


def _limit(outcome: Outcome) -> float:
    return max(1.0, outcome.plan.ground.pixels / outcome.plan.ground.trained.resolution)


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
    })  # fmt: skip


def _csv(outcome: Outcome) -> str:
    text = io.StringIO()
    rows: list[dict[str, Any]] = [
        {
            **row(point),
            "seed": seed,
            "validation_accuracy": point.validation[seed],
            "test_accuracy": point.test[seed],
            "seconds": point.seconds[seed],
        }
        for point in outcome.points
        for seed in point.test
    ]
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _summary(outcome: Outcome) -> dict[str, Any]:
    answer, plan = conclude(outcome), outcome.plan
    points = [
        {**row(point), "test_accuracy": estimate_dict(mean), "seeds": list(point.test)}
        for point, mean in zip(outcome.points, answer.means, strict=True)
    ]
    return {
        "format": FORMAT,
        "dataset": plan.config.dataset,
        "baseline": json.loads(plan.ground.baseline.to_json()),
        "trained_baseline": json.loads(plan.ground.trained.to_json()),
        "pixels": plan.ground.pixels,
        "multiple": plan.largest,
        "compound": compound(outcome),
        "best_single": answer.rival or None,
        "main": answer.main and _contrast(answer.main),
        "against_all": {name: _contrast(one) for name, one in answer.all_main.items()},
        "found_against_paper": answer.paper and _contrast(answer.paper),
        "accuracy_per_doubling": answer.slope,
        "foretold": [
            {
                "curve": one.place.curve,
                "accuracy": one.accuracy,
                "predicted": one.prediction.mean,
                "lower": one.prediction.lower,
                "upper": one.prediction.upper,
            }
            for one in answer.foretold
        ],
        "straight_line_error": answer.straight if math.isfinite(answer.straight) else None,
        "points": points,
    }


def _contrast(contrast: Contrast) -> dict[str, Any]:
    return {
        "difference": estimate_dict(contrast.difference),
        "verdict": contrast.verdict,
        "p_permutation": contrast.p_permutation,
        "p_equivalence": contrast.p_equivalence,
        "margin": contrast.margin,
        "comparisons": contrast.comparisons,
    }

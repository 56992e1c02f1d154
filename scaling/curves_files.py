"""What curves leave in their folder: every training as a table, and everything that was concluded."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from scaling.curves_answer import conclude
from scaling.curves_run import Outcome, compound, found_alone, row
from studies.contrasts import Contrast
from studies.runs import Run
from studies.wording import estimate_dict

POINTS, SUMMARY = "curves.csv", "curves.json"
FORMAT = "triaxis-curves-1"


def write_files(outcome: Outcome, run: Run) -> None:
    """Write curves.csv, a line a network and seed, and curves.json, everything that was concluded."""
    run.write(POINTS, _csv(outcome))
    run.write(SUMMARY, json.dumps(_summary(outcome), indent=2) + "\n")


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
        "found_alone": found_alone(outcome) or None,
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

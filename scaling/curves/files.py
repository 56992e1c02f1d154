"""What curves leave in their folder: every training as a table, and everything that was concluded."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from scaling.curves.analysis import analyse
from scaling.curves.run import CurvesResult, compound, found_alone, row
from studies.runs.folder import RunFolder
from studies.statistics.comparisons import Contrast

POINTS, SUMMARY = "curves.csv", "curves.json"
FORMAT = "triaxis-curves-1"


def write_files(outcome: CurvesResult, run: RunFolder) -> None:
    """Write curves.csv, a line a network and seed, and curves.json, everything that was concluded."""
    run.write(POINTS, _csv(outcome))
    run.write(SUMMARY, json.dumps(_summary(outcome), indent=2) + "\n")


def _csv(outcome: CurvesResult) -> str:
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


def _summary(outcome: CurvesResult) -> dict[str, Any]:
    answer, plan = analyse(outcome), outcome.plan
    points = [
        {**row(point), "test_accuracy": mean.to_dict(), "seeds": list(point.test)}
        for point, mean in zip(outcome.points, answer.means, strict=True)
    ]
    return {
        "format": FORMAT,
        "dataset": plan.config.dataset,
        "baseline": json.loads(plan.baseline.original.to_json()),
        "trained_baseline": json.loads(plan.baseline.trained.to_json()),
        "pixels": plan.baseline.pixels,
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
                "curve": one.planned.curve,
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
        "difference": contrast.difference.to_dict(),
        "verdict": contrast.verdict,
        "p_permutation": contrast.p_permutation,
        "p_equivalence": contrast.p_equivalence,
        "margin": contrast.margin,
        "comparisons": contrast.comparisons,
    }

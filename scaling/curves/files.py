"""The files of curves in their run folder: every training as a table, and all conclusions."""

from __future__ import annotations

import json
from typing import Any

from scaling.curves.analysis import CurvesAnalysis
from scaling.curves.conclusions import CurvesConclusions
from scaling.curves.run import CurvesResult, TrainedPoint
from search_spaces.common.csv_text import csv_text
from studies.runs.folder import RunFolder

POINTS, SUMMARY = "curves.csv", "curves.json"
FORMAT = "triaxis-curves-1"


def write_files(result: CurvesResult, analysis: CurvesAnalysis, run: RunFolder) -> None:
    """Write curves.csv, a line per network and seed, and curves.json, all conclusions."""
    run.write(POINTS, csv_text(_rows(result)))
    run.write(SUMMARY, json.dumps(_summary(result, analysis), indent=2) + "\n")


def _rows(result: CurvesResult) -> list[dict[str, Any]]:
    return [
        {
            **_point(point, result),
            "seed": seed,
            "validation_accuracy": point.validation[seed],
            "test_accuracy": point.test[seed],
            "seconds": point.seconds[seed],
        }
        for point in result.points
        for seed in point.test
    ]


def _summary(result: CurvesResult, analysis: CurvesAnalysis) -> dict[str, Any]:
    plan = result.plan
    points = [
        {**_point(point, result), "test_accuracy": mean.to_dict(), "seeds": list(point.test)}
        for point, mean in zip(result.points, analysis.means, strict=True)
    ]
    return {
        "format": FORMAT,
        "dataset": plan.config.data.dataset,
        "baseline": json.loads(plan.baseline.original.to_json()),
        "trained_baseline": json.loads(plan.baseline.trained.to_json()),
        "pixels": plan.baseline.pixels,
        **CurvesConclusions.of(analysis, plan.largest).to_dict(),
        "points": points,
    }


def _point(point: TrainedPoint, result: CurvesResult) -> dict[str, Any]:
    """A point as plain values in raw units, without its accuracies."""
    planned = point.planned
    return {
        "curve": planned.curve,
        "multiple": planned.multiple,
        "is_raw": planned.is_raw,
        "upsampled": planned.upsampled,
        "key": planned.arch.key,
        **planned.growth.as_dict(),
        "input_px": planned.arch.resolution,
        "layers": sum(stage.layers for stage in planned.arch.stages),
        "target_macs": planned.target,
        "macs": point.cost.macs,
        "params": point.cost.params,
        "activations": point.cost.activations,
        "training_bytes": point.memory,
        "latency_mean": point.latency.mean,
        "latency_median": point.latency.median,
        "weights": point.weights,
        **({"lr": result.rates.rate(planned.arch.key)} if result.rates else {}),
    }

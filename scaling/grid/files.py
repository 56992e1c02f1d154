"""What a grid leaves in its folder: the coefficients with all that is known of them, and its networks as a table."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from scaling.coefficients_file import Found
from scaling.grid.analysis import GridAnalysis, NetworkResult
from scaling.grid.run import GridResult
from studies.runs.folder import RunFolder
from studies.statistics.intervals import Estimate

COEFFICIENTS, NETWORKS, CHOICE = "coefficients.json", "networks.csv", "choice.json"
GREEK = ("alpha", "beta", "gamma")


def write_files(outcome: GridResult, run: RunFolder) -> None:
    """Write coefficients.json, networks.csv, and the chosen network as choice.json."""
    run.write(CHOICE, outcome.choice.arch.to_json())
    run.write(NETWORKS, _csv(outcome.answer))
    run.write(COEFFICIENTS, found(outcome).to_json())


def found(outcome: GridResult) -> Found:
    """Everything in the coefficients file. The rounding is the whole network's, also where a proxy was trained."""
    plan, answer = outcome.plan, outcome.answer
    rounding = plan.config.rounding.for_network(plan.baseline.original)
    return Found(answer.best.candidate.coefficients, plan.baseline.original, rounding, _data(outcome))


def _data(outcome: GridResult) -> dict[str, Any]:
    plan, answer, choice = outcome.plan, outcome.answer, outcome.choice
    advised = answer.advised()
    return {
        "phi": plan.config.phi,
        "dataset": plan.config.dataset,
        "product": answer.best.candidate.coefficients.product,
        "realised": dict(zip(GREEK, answer.best.candidate.realised_coefficients(plan.config.phi), strict=True)),
        "range_of_indistinguishable": {name: list(ends) for name, ends in answer.spread().items()},
        "law": answer.law and {
            "optimum": advised and {name: one.to_dict() for name, one in advised.items()},
            "form": answer.law.form,
            "heldout_error": _number(answer.law.heldout_error),
            "loglinear_error": _number(answer.law.loglinear_error),
        },
        "trained_baseline": {
            "key": plan.grid.baseline.key,
            "resolution": plan.grid.baseline.resolution,
            "accuracy": answer.baseline and answer.baseline.to_dict(),
        },
        "grid": {
            "points": plan.grid.points,
            "networks": len(plan.grid.networks),
            "left_out": dict(plan.grid.left_out),
            "target_macs": plan.grid.target,
            "accuracy_per_doubling": answer.slope,
        },
        "networks": [_network(standing) for standing in answer.standings],
        "choice": {
            "key": choice.arch.key,
            "seeds": list(choice.seeds),
            "validation_accuracy": choice.validation.to_dict(),
            "test_accuracy": choice.test.to_dict(),
            "paper_key": choice.paper.arch.key,
            "paper_test_accuracy": choice.paper_test and choice.paper_test.to_dict(),
            "test_difference_to_paper": choice.contrast and choice.contrast.difference.to_dict(),
            "verdict": choice.contrast and choice.contrast.verdict,
        },
    }  # fmt: skip


def _network(standing: NetworkResult) -> dict[str, Any]:
    one = standing.candidate
    return {
        "key": one.arch.key,
        **dict(zip(GREEK, (one.coefficients.alpha, one.coefficients.beta, one.coefficients.gamma), strict=True)),
        "points": [[point.alpha, point.beta, point.gamma] for point in one.points],
        **one.growth.as_dict(),
        "macs": one.macs,
        "accuracy": standing.mean.to_dict(),
        "accuracies": {str(seed): value for seed, value in sorted(standing.accuracies.items())},
        "indistinguishable_from_best": standing.is_equal,
    }


def _csv(answer: GridAnalysis) -> str:
    """A line a network and seed, in raw units."""
    text = io.StringIO()
    rows = [_line(standing, seed) for standing in answer.standings for seed in sorted(standing.accuracies)]
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _line(standing: NetworkResult, seed: int) -> dict[str, Any]:
    one, mean = standing.candidate, standing.mean
    return {
        "key": one.arch.key,
        **dict(zip(GREEK, (one.coefficients.alpha, one.coefficients.beta, one.coefficients.gamma), strict=True)),
        **one.growth.as_dict(),
        "input_px": one.arch.resolution,
        "macs": one.macs,
        "seed": seed,
        "accuracy": standing.accuracies[seed],
        **{f"mean_{name}": value for name, value in _ends(mean).items()},
        "may_be_best": standing.is_equal,
    }


def _ends(mean: Estimate) -> dict[str, float | None]:
    return {"value": mean.value, "low": _number(mean.low), "high": _number(mean.high)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None

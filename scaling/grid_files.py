"""What a grid leaves in its folder: the coefficients with all that is known of them, and its networks as a table."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from scaling.answer import Answer, Standing
from scaling.coefficients_file import Found
from scaling.grid_run import Outcome
from studies.runs import Run
from studies.statistics import Estimate
from studies.wording import estimate_dict

COEFFICIENTS, NETWORKS, CHOICE = "coefficients.json", "networks.csv", "choice.json"
GREEK = ("alpha", "beta", "gamma")


def write_files(outcome: Outcome, run: Run) -> None:
    """Write coefficients.json, networks.csv, and the chosen network as choice.json."""
    run.write(CHOICE, outcome.choice.arch.to_json())
    run.write(NETWORKS, _csv(outcome.answer))
    run.write(COEFFICIENTS, found(outcome).to_json())


def found(outcome: Outcome) -> Found:
    """Everything in the coefficients file. The rounding is the whole network's, also where a stand-in was trained."""
    plan, answer = outcome.plan, outcome.answer
    rounding = plan.config.rounding.for_network(plan.ground.baseline)
    return Found(answer.best.candidate.coefficients, plan.ground.baseline, rounding, _data(outcome))


def _data(outcome: Outcome) -> dict[str, Any]:
    plan, answer, choice = outcome.plan, outcome.answer, outcome.choice
    advised = answer.advised()
    return {
        "phi": plan.config.phi,
        "dataset": plan.config.dataset,
        "product": answer.best.candidate.coefficients.product,
        "realised": dict(zip(GREEK, answer.best.candidate.realised_coefficients(plan.config.phi), strict=True)),
        "range_of_indistinguishable": {name: list(ends) for name, ends in answer.spread().items()},
        "law": answer.law and {
            "optimum": advised and {name: estimate_dict(one) for name, one in advised.items()},
            "form": answer.law.form,
            "heldout_error": _number(answer.law.heldout_error),
            "loglinear_error": _number(answer.law.loglinear_error),
        },
        "trained_baseline": {
            "key": plan.field.baseline.key,
            "resolution": plan.field.baseline.resolution,
            "accuracy": answer.baseline and estimate_dict(answer.baseline),
        },
        "grid": {
            "points": plan.field.points,
            "networks": len(plan.field.networks),
            "left_out": dict(plan.field.left_out),
            "target_macs": plan.field.target,
            "accuracy_per_doubling": answer.slope,
        },
        "networks": [_network(standing) for standing in answer.standings],
        "choice": {
            "key": choice.arch.key,
            "seeds": list(choice.seeds),
            "validation_accuracy": estimate_dict(choice.validation),
            "test_accuracy": estimate_dict(choice.test),
            "paper_key": choice.paper.arch.key,
            "paper_test_accuracy": choice.paper_test and estimate_dict(choice.paper_test),
            "test_difference_to_paper": choice.contrast and estimate_dict(choice.contrast.difference),
            "verdict": choice.contrast and choice.contrast.verdict,
        },
    }  # fmt: skip


def _network(standing: Standing) -> dict[str, Any]:
    one = standing.candidate
    return {
        "key": one.arch.key,
        **dict(zip(GREEK, (one.coefficients.alpha, one.coefficients.beta, one.coefficients.gamma), strict=True)),
        "points": [[point.alpha, point.beta, point.gamma] for point in one.points],
        **one.growth.as_dict(),
        "macs": one.macs,
        "accuracy": estimate_dict(standing.mean),
        "accuracies": {str(seed): value for seed, value in sorted(standing.accuracies.items())},
        "indistinguishable_from_best": standing.is_equal,
    }


def _csv(answer: Answer) -> str:
    """A line a network and seed, in raw units."""
    text = io.StringIO()
    rows = [_line(standing, seed) for standing in answer.standings for seed in sorted(standing.accuracies)]
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _line(standing: Standing, seed: int) -> dict[str, Any]:
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

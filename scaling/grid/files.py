"""The files of a grid in its run folder: the coefficients with all conclusions, and its networks as a table."""

from __future__ import annotations

from typing import Any

from scaling.coefficients_file import Found
from scaling.grid.analysis import COEFFICIENTS as NAMES
from scaling.grid.analysis import GridAnalysis, NetworkResult
from scaling.grid.conclusions import RATES
from scaling.grid.rate_effect import RateEffect
from scaling.grid.run import GridResult
from search_spaces.common.csv_text import csv_text
from studies.runs.folder import RunFolder
from studies.statistics.intervals import finite

COEFFICIENTS, NETWORKS, CHOICE = "coefficients.json", "networks.csv", "choice.json"


def write_files(result: GridResult, run: RunFolder) -> None:
    """Write coefficients.json, networks.csv, and the chosen network as choice.json."""
    run.write(CHOICE, result.choice.arch.to_json())
    run.write(NETWORKS, csv_text(_rows(result)))
    run.write(COEFFICIENTS, found(result).to_json())


def found(result: GridResult) -> Found:
    """The content of the coefficients file. The rounding is the whole network's, even if a proxy was trained."""
    baseline = result.plan.baseline.original
    rounding = result.plan.config.rounding.for_network(baseline)
    return Found(result.analysis.best.network.coefficients, baseline, rounding, _conclusions(result))


def _conclusions(result: GridResult) -> dict[str, Any]:
    """What `GridConclusions.of_file` reads, and every network."""
    plan, analysis, best = result.plan, result.analysis, result.analysis.best.network
    effect = RateEffect.of(result)
    return {
        "phi": plan.config.phi,
        "dataset": plan.config.data.dataset,
        "product": best.coefficients.product,
        "realised": dict(zip(NAMES, best.realised_coefficients(plan.config.phi), strict=True)),
        "range_of_indistinguishable": {name: list(ends) for name, ends in analysis.ranges().items()},
        "law": _law(analysis),
        "trained_baseline": {
            "key": plan.grid.baseline.key,
            "resolution": plan.grid.baseline.resolution,
            "accuracy": analysis.baseline and analysis.baseline.to_dict(),
        },
        "grid": {
            "points": plan.grid.points,
            "networks": len(plan.grid.networks),
            "left_out": dict(plan.grid.left_out),
            "target_macs": plan.grid.target,
            "accuracy_per_doubling": analysis.slope,
        },
        "networks": [_network(one, result) for one in analysis.ranking],
        "choice": _choice(result),
        **({RATES: effect.to_dict()} if effect else {}),
    }


def _law(analysis: GridAnalysis) -> dict[str, Any] | None:
    if analysis.law is None:
        return None
    optimum = analysis.optimal_coefficients()
    return {
        "optimum": optimum and {name: estimate.to_dict() for name, estimate in optimum.items()},
        "form": analysis.law.form,
        "heldout_error": finite(analysis.law.heldout_error),
        "loglinear_error": finite(analysis.law.loglinear_error),
    }


def _choice(result: GridResult) -> dict[str, Any]:
    choice = result.choice
    return {
        "key": choice.arch.key,
        "seeds": list(choice.seeds),
        "validation_accuracy": choice.validation.to_dict(),
        "test_accuracy": choice.test.to_dict(),
        "paper_key": choice.paper.arch.key,
        "paper_excess": choice.paper_excess,
        "paper_test_accuracy": choice.paper_test and choice.paper_test.to_dict(),
        "against_paper": choice.contrast and choice.contrast.to_dict(),
    }


def _network(result: NetworkResult, grid: GridResult) -> dict[str, Any]:
    network = result.network
    return {
        "key": network.arch.key,
        **_coefficients(result),
        "points": [[point.alpha, point.beta, point.gamma] for point in network.points],
        **network.growth.as_dict(),
        "macs": network.macs,
        **network.limited,
        **_rate(result, grid),
        "accuracy": result.mean.to_dict(),
        "accuracies": {str(seed): value for seed, value in sorted(result.accuracies.items())},
        "indistinguishable_from_best": result.is_equal,
    }


def _rate(result: NetworkResult, grid: GridResult) -> dict[str, float]:
    """The network's learning rate, if networks have their own."""
    return {"lr": grid.rates.rate(result.network.arch.key)} if grid.rates else {}


def _rows(grid: GridResult) -> list[dict[str, Any]]:
    """A row per network and seed, in raw units."""
    return [
        {
            "key": result.network.arch.key,
            **_coefficients(result),
            **result.network.growth.as_dict(),
            "input_px": result.network.arch.resolution,
            "macs": result.network.macs,
            **result.network.limited,
            **_rate(result, grid),
            "seed": seed,
            "accuracy": result.accuracies[seed],
            "mean_value": result.mean.value,
            "mean_low": finite(result.mean.low),
            "mean_high": finite(result.mean.high),
            "indistinguishable_from_best": result.is_equal,
        }
        for result in grid.analysis.ranking
        for seed in sorted(result.accuracies)
    ]


def _coefficients(result: NetworkResult) -> dict[str, float]:
    return {name: getattr(result.network.coefficients, name) for name in NAMES}

"""The question of a run, and its answer in a few sentences with numbers and intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reports.page.values import count, estimate_of
from reports.reading.effort import efforts
from reports.reading.runs import Kind, RunData
from scaling.curves.conclusions import CurvesConclusions, curve_name
from scaling.experiment.wording import sentence
from scaling.grid.conclusions import GridConclusions
from search_spaces.common.text import pluralise


def question(run: RunData) -> str:
    """What the run was to find out."""
    config = run.config
    data = config.get("dataset", "unknown data")
    if run.kind is Kind.SEARCH:
        near = config.get("target_flops", "?")
        return f"Which network of the search space {config.get('space', '?')} near {near} FLOPs is the best on {data}?"
    if run.kind is Kind.GRID:
        return f"How much deeper, wider and finer should a network get each time its FLOPs double, on {data}?"
    return f"At equal FLOPs, is growing depth, width and resolution together better than growing one alone, on {data}?"


def answer(run: RunData) -> str:
    """The answer; where there is none, why not. Never raises for a result that is broken."""
    answers: dict[Kind, Callable[[Mapping[str, Any]], str]] = {
        Kind.SEARCH: _search,
        Kind.GRID: _grid,
        Kind.CURVES: _curves,
    }
    try:
        return answers[run.kind](run.result) if run.result else unanswered(run)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"none: the run's result is broken ({type(error).__name__}: {error})."


def unanswered(run: RunData) -> str:
    """Why there is no answer, and how far the run is."""
    over = {name: sum(one.outcomes.get(name, 0) for one in efforts(run)) for name in ("complete", "pruned")}
    trials = sum(one.trials for one in efforts(run))
    if not trials:
        return f"none yet; the run is {run.status} and no training has begun."
    if not over["complete"]:
        return f"none; the run is {run.status}, and none of its {pluralise(trials, 'training')} was finished."
    return f"none yet; the run is {run.status}, and {over['complete']} of {pluralise(trials, 'training')} are finished."


def _search(result: Mapping[str, Any]) -> str:
    best, proxy = result["best"], result["proxy"]
    share = f"{100 * best['macs'] / best['target_macs']:.1f} % of the target"
    training = (
        f"{proxy['resolution']} px, {pluralise(proxy['epochs'], 'epoch')}, {pluralise(len(proxy['seeds']), 'seed')}"
    )
    return (
        f"network {best['key']}, with {count(best['macs'])} FLOPs ({share}) and {count(best['params'])} parameters: "
        f"trained as a proxy ({training}) it recognises {_percent(proxy['test_accuracy'])} of the test images. "
        f"{_standing(result)}"
    )


def _standing(result: Mapping[str, Any]) -> str:
    others, equals = len(result["finalists"]) - 1, result["indistinguishable_from_best"]
    if not others:
        return "It was the only finalist, so there is nothing to compare it with."
    if equals is None:
        return "With one seed a finalist, nothing can be said about the differences between finalists."
    if not equals:
        return f"It beats {'the other finalist' if others == 1 else f'all {others} other finalists'} (95 % confidence)."
    which = "The other finalist" if others == 1 else f"{len(equals)} of the {others} other finalists"
    return f"{which} cannot be told from it (95 % confidence)."


def _grid(result: Mapping[str, Any]) -> str:
    conclusions = GridConclusions.of_file(result)
    return " ".join([
        f"{conclusions.describe_coefficients()}.",
        conclusions.describe_equals(),
        conclusions.describe_choice(),
        conclusions.compare_with_paper(),
    ])  # fmt: skip


def _curves(result: Mapping[str, Any]) -> str:
    conclusions = CurvesConclusions.of_file(result)
    lines = conclusions.describe_main()
    if not lines:
        return "none; no compound network was trained beside one that grows in a single dimension, with two seeds."
    return f"{lines[0]} {_accuracies(result, (conclusions.compound, conclusions.best_single))}"


def _accuracies(result: Mapping[str, Any], curves: Sequence[str]) -> str:
    at = {one["curve"]: one for one in result["points"] if one["multiple"] == result["multiple"] and not one["is_raw"]}
    parts = [
        f"{curve_name(curve)} has {_percent(at[curve]['test_accuracy'])} with {count(at[curve]['macs'])} FLOPs"
        for curve in curves
        if curve in at
    ]
    return sentence(", ".join(parts)) if parts else ""


def _percent(values: object) -> str:
    estimate = estimate_of(values)
    return "an unknown share" if estimate is None else estimate.percent

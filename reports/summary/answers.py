"""The question of a run, and its answer in a few sentences with numbers and intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nas.search.conclusions import SearchConclusions
from nas.search.wording import describe_finalists, describe_known
from reports.page.values import count, estimate_of
from reports.reading.effort import efforts
from reports.reading.runs import Kind, RunData
from reports.reading.target import target_text
from scaling.curves.conclusions import CurvesConclusions, curve_name
from scaling.experiment.wording import sentence
from scaling.grid.conclusions import GridConclusions
from search_spaces.common.text import pluralise
from search_spaces.metrics.registry import METRICS


def question(run: RunData) -> str:
    """What the run is to find out."""
    config = run.config
    data = run.setting("data.dataset", "unknown data")
    if run.kind is Kind.SEARCH:
        near = target_text(config)
        if run.setting("controls.only"):
            return f"Which known network near {near} is the best on {data}?"
        return f"Which network of the search space {config.get('space', '?')} near {near} is the best on {data}?"
    if run.kind is Kind.GRID:
        return f"How much deeper, wider and finer should a network get each time its FLOPs double, on {data}?"
    return f"At equal FLOPs, is growing depth, width and resolution together better than growing one alone, on {data}?"


def answer(run: RunData) -> str:
    """The answer, or why there is none. Never raises for a result that is broken."""
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
        return f"none yet; the run is {run.status} and no training has started."
    if not over["complete"]:
        return f"none; the run is {run.status}, and none of its {pluralise(trials, 'training')} was finished."
    return f"none yet; the run is {run.status}, and {over['complete']} of {pluralise(trials, 'training')} are finished."


def _search(result: Mapping[str, Any]) -> str:
    best, proxy = result["best"], result["proxy"]
    metrics, target = best["metrics"], best["target"]
    shares = {target["metric"]: f" ({100 * metrics[target['metric']] / target['value']:.1f} % of the target)"}
    costs = [
        f"{METRICS.row(name).describe(metrics[name])}{shares.get(name, '')}"
        for name in dict.fromkeys(["macs", "params", target["metric"]])
    ]
    training = (
        f"{proxy['resolution']} px, {pluralise(proxy['epochs'], 'epoch')}, {pluralise(len(proxy['seeds']), 'seed')}"
    )
    gains = _gains(result)
    return (
        f"{gains}{'N' if gains else 'n'}etwork {best['key']} with {_listed(costs)}: "
        f"its proxy ({training}) has {_percent(proxy['test_accuracy'])} on test images. {_finalists(result)}"
    )


def _gains(result: Mapping[str, Any]) -> str:
    """What the search gained over its controls; empty without controls."""
    return "".join(f"{text} " for text in SearchConclusions.of_dict(result.get("verdict") or {}).sentences())


def _listed(items: Sequence[str]) -> str:
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _finalists(result: Mapping[str, Any]) -> str:
    equals = result["indistinguishable_from_best"]
    only = SearchConclusions.of_dict(result.get("verdict") or {}).only
    return (describe_known if only else describe_finalists)(
        len(result["finalists"]) - 1, None if equals is None else len(equals)
    )


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
        return "none; there are no two seeds of both a compound network and one that grows a single dimension."
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

"""What a run asked, and its answer in two sentences with numbers and intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reports.page.style import name_of
from reports.page.values import contrast_of, count, estimate_of
from reports.reading.effort import efforts
from reports.reading.runs import Kind, RunData
from search_spaces.common.text import pluralise
from studies.statistics.intervals import Estimate

GREEK = ("alpha", "beta", "gamma")
PAPER = "1.2/1.1/1.15"


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
        return f"none can be read: the run's result lacks something ({type(error).__name__}: {error})."


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
    found, networks, choice = result["coefficients"], result["networks"], result["choice"]
    equal = [one for one in networks if one["indistinguishable_from_best"]]
    ranges = ", ".join(
        f"{name} {low:g} to {high:g}" for name, (low, high) in result["range_of_indistinguishable"].items()
    )
    values = ", ".join(f"{name} {found[name]:g}" for name in GREEK)
    seeds = pluralise(len(choice["seeds"]), "fresh seed")
    return (
        f"{values} (depth, width, resolution): {len(equal)} of "
        f"{pluralise(len(networks), 'network')} cannot be told from the best (95 % confidence; {ranges}). "
        f"Trained again with {seeds} the choice recognises {_percent(choice['test_accuracy'])} of the test images; "
        f"{_against_paper(choice)}."
    )


def _against_paper(choice: Mapping[str, Any]) -> str:
    if choice["paper_key"] == choice["key"]:
        return f"the paper's {PAPER} gives the same network"
    difference = estimate_of(choice["test_difference_to_paper"])
    if difference is None:
        return f"it was not compared with the paper's {PAPER}"
    return f"that is {_points(difference)} points against the paper's {PAPER}: {choice['verdict']}"


def _curves(result: Mapping[str, Any]) -> str:
    main, ours, rival = contrast_of(result["main"]), result["compound"], result["best_single"]
    if main is None or not ours or not rival:
        return "none; no compound network was trained beside one that grows in a single dimension, with two seeds."
    largest = f"at {result['multiple']:g} times the baseline's FLOPs"
    line = main.sentence(name_of(ours), f"{name_of(rival)} alone (the best single dimension)")
    return f"{largest}, on test images: {line}. {_accuracies(result, (ours, rival))}"


def _accuracies(result: Mapping[str, Any], curves: Sequence[str]) -> str:
    at = {one["curve"]: one for one in result["points"] if one["multiple"] == result["multiple"] and not one["is_raw"]}
    parts = [
        f"{name_of(curve)} recognises {_percent(one['test_accuracy'])} of them with {count(one['macs'])} FLOPs"
        for curve, one in ((curve, at.get(curve)) for curve in curves)
        if one
    ]
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _percent(values: object) -> str:
    estimate = estimate_of(values)
    return "an unknown share" if estimate is None else estimate.percent


def _points(estimate: Estimate) -> str:
    return f"{100 * estimate.value:+.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"

"""What the section on the grid says in words, from what the run concluded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reports.grid.data import GREEK, NetworkData, rule_of, show_rule
from reports.page.values import estimate_of
from reports.reading.runs import RunData
from search_spaces.common.text import pluralise
from search_spaces.common.units import format_count
from studies.statistics.comparisons import MIN_SEEDS
from studies.statistics.intervals import Estimate

PAPER = "EN's 1.2/1.1/1.15"
TERMS: Mapping[str, str] = {
    "alpha, beta, gamma": "factors on depth, width and resolution for each doubling of FLOPs (EN, Equation 3): "
    "alpha * beta² * gamma² is about 2",
    "phi": "how often the FLOPs are doubled: d = alpha^phi, w = beta^phi, r = gamma^phi",
    "multiple comparisons with the best": "a test that leaves out the networks that are worse than some other one, "
    "with 95 % confidence that the true best is not among those (Hsu 1981)",
    "proxy baseline": "a smaller form of the baseline that is scaled and trained where the baseline would outgrow "
    "the images",
}


def headline(run: RunData, found: Sequence[NetworkData]) -> str:
    """What was found, in a sentence or two."""
    rule, dataset = rule_of(run.result.get("coefficients")), run.config.get("dataset", "an unnamed data set")
    seeds = sorted({one.seeds for one in found})
    many = pluralise(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    about = f"{pluralise(len(found), 'network')} trained on {dataset} with {many} each"
    if rule is None:
        return f"So far, {about}; the best of them is {show_rule(found[0].rule)} ({found[0].accuracy.percent})."
    product = rule[0] * rule[1] ** 2 * rule[2] ** 2
    return (
        f"Of {about}, alpha/beta/gamma {show_rule(rule)} did best (alpha * beta² * gamma² = {product:.3f})"
        f"{_realised(run)}.{_proxy_baseline(run)}"
    )


def told(run: RunData, found: Sequence[NetworkData]) -> list[str]:
    """How sure the answer is, what the fitted law advises, how the choice did on test images."""
    lines = [_grid(run), _equals(run, found), _law(run), _choice(run)]
    return [line for line in lines if line]


def warnings(run: RunData, found: Sequence[NetworkData]) -> list[str]:
    """What a reader must know before taking the coefficients."""
    if not run.result or not found:
        return []
    lines = []
    if max(one.seeds for one in found) < 2:
        lines.append("one seed a network gives no intervals: `--seeds 3` or more would")
    if all(one.is_equal for one in found):
        lines.append("no network can be told from the best: more `--seeds`, `--epochs` or `--images` would help")
    seeds = _choice_of(run).get("seeds")
    if isinstance(seeds, list) and len(seeds) < MIN_SEEDS:
        lines.append(f"the choice was confirmed with only {pluralise(len(seeds), 'seed')} (`--choice-seeds`)")
    return lines


def _realised(run: RunData) -> str:
    got = rule_of(run.result.get("realised"))
    return f", {show_rule(tuple(round(value, 2) for value in got))} as rounded" if got else ""


def _proxy_baseline(run: RunData) -> str:
    """A sentence where a smaller form of the baseline was trained; empty where it was the baseline itself."""
    trained, given = run.result.get("trained_baseline"), run.result.get("baseline")
    if not isinstance(trained, Mapping) or not isinstance(given, Mapping):
        return ""
    own, side = given.get("resolution"), trained.get("resolution")
    if own == side and _key_of(given, _classes(run)) == trained.get("key"):
        return ""
    return (
        f" What was scaled and trained is a proxy baseline, a smaller form of the baseline at {side} px instead "
        f"of {own} px: that its coefficients are the baseline's too is an assumption."
    )


def _classes(run: RunData) -> int | None:
    """Classes of the networks that were trained, as the chosen one has them."""
    arch = run.arch("choice.json")
    return arch.classes if arch else None


def _key_of(values: Mapping[str, object], classes: int | None) -> str:
    import json

    from search_spaces.networks.arch import Arch

    try:
        arch = Arch.from_json(json.dumps(values))
    except ValueError:
        return ""
    return arch.replace(classes=classes or arch.classes).key


def _grid(run: RunData) -> str:
    grid = run.result.get("grid")
    if not isinstance(grid, Mapping) or not isinstance(grid.get("points"), int):
        return ""
    gone = grid.get("left_out")
    reasons = ", ".join(f"{number} {why}" for why, number in gone.items()) if isinstance(gone, Mapping) else ""
    target = grid.get("target_macs")
    closed = (
        f"All were closed to {format_count(target, 4)} FLOPs, and what they miss of it is adjusted for."
        if isinstance(target, int)
        else "They were taken as they round: larger ones have an advantage."
    )
    left = f"; left out: {reasons}" if reasons else ""
    return f"The grid's {grid['points']} points round to {grid.get('networks')} different networks{left}. {closed}"


def _equals(run: RunData, found: Sequence[NetworkData]) -> str:
    if not run.result:
        return ""
    equal = sum(bool(one.is_equal) for one in found)
    ends = run.result.get("range_of_indistinguishable")
    spread = ""
    if isinstance(ends, Mapping) and all(isinstance(ends.get(name), list) and len(ends[name]) == 2 for name in GREEK):
        spread = "; they range over " + ", ".join(f"{name} {ends[name][0]:g} to {ends[name][1]:g}" for name in GREEK)
    return (
        f"{equal} of {len(found)} networks cannot be told from the best (multiple comparisons with the best, 95 %)"
        f"{spread}."
    )


def _law(run: RunData) -> str:
    law = run.result.get("law")
    if not isinstance(law, Mapping) or not isinstance(law.get("optimum"), Mapping):
        return "No scaling law was fitted: too few networks, or one that is never right." if run.result else ""
    ends = {name: estimate_of(law["optimum"].get(name)) for name in GREEK}
    shown = ", ".join(f"{name} {_range(one)}" for name, one in ends.items() if one)
    ours, straight = law.get("heldout_error"), law.get("loglinear_error")
    how = ""
    if isinstance(ours, float) and isinstance(straight, float):
        how = f"; held out, it misses by {100 * ours:.1f} points, a straight line in log FLOPs by {100 * straight:.1f}"
    return f"A law fitted to all of them has its optimum at {shown} (with 95 % intervals){how}."


def _range(one: Estimate) -> str:
    ends = f" [{one.low:.2f}, {one.high:.2f}]" if math.isfinite(one.high - one.low) else ""
    return f"{one.value:.2f}{ends}"


def _choice_of(run: RunData) -> Mapping[str, object]:
    choice = run.result.get("choice")
    return choice if isinstance(choice, Mapping) else {}


def _choice(run: RunData) -> str:
    """The choice retrained with fresh seeds, on test images, against the paper's coefficients."""
    choice = _choice_of(run)
    test, seeds = estimate_of(choice.get("test_accuracy")), choice.get("seeds")
    if test is None:
        return ""
    fresh = pluralise(len(seeds), "fresh seed") if isinstance(seeds, list) else "fresh seeds"
    start = f"Retrained with {fresh}, the choice has {test.percent} on test images"
    difference = estimate_of(choice.get("test_difference_to_paper"))
    paper = estimate_of(choice.get("paper_test_accuracy"))
    if difference is None or paper is None:
        same = choice.get("key") == choice.get("paper_key")
        return f"{start}; {PAPER} gives the same network." if same else f"{start}."
    ends = f" [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]" if math.isfinite(difference.high) else ""
    verdict = {"better": "the choice is better", "worse": "the choice is worse"}.get(str(choice.get("verdict")))
    return (
        f"{start}, {PAPER} {paper.percent}: a difference of {100 * difference.value:+.1f} points{ends}, "
        f"{verdict or choice.get('verdict')}."
    )

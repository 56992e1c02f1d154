"""What a grid says before and after its trainings, on screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scaling.family_members import MemoryBudget, grow
from scaling.family_members import table as family_table
from scaling.grid.analysis import GridAnalysis, NetworkResult
from scaling.grid.files import CHOICE, COEFFICIENTS, NETWORKS, found
from scaling.grid.plan import GridPlan
from scaling.grid.run import Choice, GridResult
from search_spaces.common.text import align_columns, align_facts, pluralise
from search_spaces.common.units import format_count
from search_spaces.metrics.counts import cost
from search_spaces.resizing.compound import PAPER

FAMILY = (0.0, 1.0, 2.0, 3.0)


def describe_plan(plan: GridPlan) -> str:
    """What is going to be trained."""
    config, grid = plan.config, plan.grid
    shown = [
        (str(one.coefficients), *_sizes(one.growth.realised), f"{one.growth.macs_ratio:.3f}", str(len(one.points)))
        for one in grid.networks
    ]
    trainings = (len(grid.networks) + 1) * config.seeds
    facts = {
        "baseline": plan.baseline.describe(),
        "grid": grid.describe(),
        "cost": _matched(plan),
        "trainings": f"{trainings}: the networks and their baseline with {pluralise(config.seeds, 'seed')} each, "
        f"{config.epochs} x {config.images or 'all'} images of {config.dataset}, recipe {config.recipe}",
        "then": f"the choice and the paper's coefficients with {pluralise(config.choice_seeds, 'fresh seed')} each",
    }
    if plan.resources:
        facts["workers"] = f"{plan.resources.describe()}, {plan.resources.gpus_per_trial:g} GPU each"
    header = ("nominal a/b/g", "d", "w", "r", "cost", "points")
    return f"{align_facts(facts)}\n\n{align_columns(header, shown)}"


def report(outcome: GridResult, folder: Path) -> str:
    """The answer as text."""
    parts = (
        _headline(outcome),
        _standings(outcome),
        align_facts(_facts(outcome)),
        _family(outcome),
        "\n".join(_warnings(outcome)),
        _files(folder),
    )
    return "\n\n".join(filter(None, parts))


def _headline(outcome: GridResult) -> str:
    best, phi = outcome.answer.best.candidate, outcome.plan.config.phi
    rule = best.coefficients
    got = "/".join(f"{value:.3g}" for value in best.realised_coefficients(phi))
    return (
        f"alpha/beta/gamma for {outcome.plan.config.dataset}: {rule} (nominal; realised {got}), "
        f"alpha * beta^2 * gamma^2 = {rule.product:.3f}\n{outcome.plan.baseline.describe()}\n"
        f"{outcome.plan.grid.describe()}"
    )


def _standings(outcome: GridResult) -> str:
    header = ("nominal a/b/g", "d", "w", "r", "cost", "FLOPs", "points", "accuracy", "may be best")
    base = outcome.answer.baseline
    rows = [_row(standing) for standing in outcome.answer.standings]
    if base:
        one = outcome.plan.grid.baseline
        rows.append(("baseline", "1", "1", "1", "1", format_count(cost(one).macs, 4), "", base.percent, ""))
    return align_columns(header, rows)


def _row(standing: NetworkResult) -> tuple[str, ...]:
    one = standing.candidate
    return (
        str(one.coefficients),
        *_sizes(one.growth.realised),
        f"{one.growth.macs_ratio:.3f}",
        format_count(one.macs, 4),
        str(len(one.points)),
        standing.mean.percent,
        "yes" if standing.is_equal else "",
    )


def _sizes(multipliers: Any) -> tuple[str, str, str]:
    return tuple(f"{value:.3g}" for value in (multipliers.depth, multipliers.width, multipliers.resolution))  # type: ignore[return-value]


def _facts(outcome: GridResult) -> dict[str, str]:
    answer, config = outcome.answer, outcome.plan.config
    return {
        "accuracy": f"of validation images, mean of {pluralise(config.seeds, 'seed')} with its 95 % interval (variance "
        "pooled over all networks)",
        "cost": _matched(outcome.plan),
        "best": f"{len(answer.equals)} of {len(answer.standings)} networks cannot be told from the best (multiple "
        "comparisons with the best, 95 %)",
        "their range": ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in answer.spread().items()),
        "fitted law": _law(answer),
        "choice": _choice(outcome.choice),
        "against paper": _paper(outcome.choice),
    }


def _matched(plan: GridPlan) -> str:
    if plan.grid.target is None:
        return "as the points round (--raw): larger networks have an advantage"
    target = format_count(plan.grid.target, 4)
    return f"all closed to {target} FLOPs, {plan.config.growth:g} times the baseline's; what is missed is adjusted for"


def _law(answer: GridAnalysis) -> str:
    advised = answer.advised()
    if advised is None or answer.law is None:
        return "none: too few networks, or one that is never right"
    ends = ", ".join(f"{name} {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for name, one in advised.items())
    return (
        f"best at {ends}; it predicts larger networks to {100 * answer.law.heldout_error:.1f} points "
        f"(a straight line in log FLOPs: {100 * answer.law.loglinear_error:.1f})"
    )


def _choice(choice: Choice) -> str:
    return (
        f"retrained with {pluralise(len(choice.seeds), 'fresh seed')}: {choice.validation.percent} on validation, "
        f"{choice.test.percent} on test images (looked at once)"
    )


def _paper(choice: Choice) -> str:
    if choice.contrast is None:
        return f"{PAPER} gives the same network" if choice.paper.arch.key == choice.arch.key else "not compared"
    assert choice.paper_test is not None
    line = choice.contrast.sentence("the choice", f"{PAPER} ({choice.paper_test.percent})")
    return f"on test images, {line}"


def _family(outcome: GridResult) -> str:
    given, room = found(outcome), MemoryBudget(outcome.plan.config.batch_size, None)
    members = [grow(given.baseline, given.coefficients, phi, given.rounding, room, False) for phi in FAMILY]
    return f"The family that these coefficients give, rounded as in the papers:\n{family_table(members, room)}"


def _warnings(outcome: GridResult) -> list[str]:
    config, answer = outcome.plan.config, outcome.answer
    lines = []
    if config.seeds < 2:
        lines.append("warning: one seed a network gives no intervals; use --seeds 3 or more")
    if len(answer.equals) == len(answer.standings):
        lines.append("warning: no network can be told from the best: more --seeds, --epochs or --images would help")
    if outcome.choice.contrast and outcome.choice.contrast.warning:
        lines.append(f"warning: {outcome.choice.contrast.warning} (--choice-seeds)")
    pixels = outcome.plan.baseline.pixels
    if outcome.choice.contrast and outcome.choice.paper.arch.resolution > pixels:
        lines.append(f"warning: the network of the paper's coefficients sees more pixels than the images' own {pixels}")
    missing = [one for one in outcome.plan.grid.networks if one.arch.key not in outcome.accuracies]
    if missing:
        count = pluralise(len(missing), "network")
        lines.append(f"warning: not trained to the end with any seed: {count}, see grid-trials.csv")
    return lines


def _files(folder: Path) -> str:
    return align_facts({
        "coefficients": f"{folder / COEFFICIENTS}  (python -m scaling.family --coefficients {folder / COEFFICIENTS})",
        "networks": f"{folder / NETWORKS}; the chosen one {folder / CHOICE}",
        "all trials": f"{folder / 'grid-trials.csv'}, {folder / 'choice-trials.csv'}",
        "ledger": f"{folder / 'ledger.db'}",
        "report": f"python -m reports.build {folder}  (a page with everything, to read and to mail)",
    })  # fmt: skip

"""What a grid says before and after its trainings, on screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scaling.answer import Answer, Standing
from scaling.compound import PAPER
from scaling.family_report import table as family_table
from scaling.family_table import Room, grow
from scaling.grid_files import CHOICE, COEFFICIENTS, NETWORKS, found
from scaling.grid_plan import Plan
from scaling.grid_run import Choice, Outcome
from search_spaces.costs import cost
from search_spaces.table import align as columns
from search_spaces.units import format_count
from studies.wording import align, percent, several

FAMILY = (0.0, 1.0, 2.0, 3.0)


def describe_plan(plan: Plan) -> str:
    """What is going to be trained."""
    config, field = plan.config, plan.field
    shown = [
        (str(one.coefficients), *_sizes(one.growth.realised), f"{one.growth.macs_ratio:.3f}", str(len(one.points)))
        for one in field.networks
    ]
    trainings = (len(field.networks) + 1) * config.seeds
    facts = {
        "baseline": plan.ground.describe(),
        "grid": field.describe(),
        "cost": _closed(plan),
        "trainings": f"{trainings}: the networks and their baseline with {several(config.seeds, 'seed')} each, "
        f"{config.epochs} x {config.images or 'all'} images of {config.dataset}, recipe {config.recipe}",
        "then": f"the choice and the paper's coefficients with {several(config.choice_seeds, 'fresh seed')} each",
    }
    if plan.resources:
        facts["workers"] = f"{plan.resources.workers} at a time, {plan.resources.gpus_per_trial:g} GPU each"
    header = ("nominal a/b/g", "d", "w", "r", "cost", "points")
    return f"{align(facts)}\n\n{columns(header, shown)}"


def report(outcome: Outcome, folder: Path) -> str:
    """The answer as text."""
    parts = (
        _headline(outcome),
        _standings(outcome),
        align(_facts(outcome)),
        _family(outcome),
        "\n".join(_warnings(outcome)),
        _files(folder),
    )
    return "\n\n".join(filter(None, parts))


def _headline(outcome: Outcome) -> str:
    best, phi = outcome.answer.best.candidate, outcome.plan.config.phi
    rule = best.coefficients
    got = "/".join(f"{value:.3g}" for value in best.realised_coefficients(phi))
    return (
        f"alpha/beta/gamma for {outcome.plan.config.dataset}: {rule} (nominal; realised {got}), "
        f"alpha * beta^2 * gamma^2 = {rule.product:.3f}\n{outcome.plan.ground.describe()}\n"
        f"{outcome.plan.field.describe()}"
    )


def _standings(outcome: Outcome) -> str:
    header = ("nominal a/b/g", "d", "w", "r", "cost", "FLOPs", "points", "accuracy", "may be best")
    base = outcome.answer.baseline
    rows = [_row(standing) for standing in outcome.answer.standings]
    if base:
        one = outcome.plan.field.baseline
        rows.append(("baseline", "1", "1", "1", "1", format_count(cost(one).macs, 4), "", percent(base), ""))
    return columns(header, rows)


def _row(standing: Standing) -> tuple[str, ...]:
    one = standing.candidate
    return (
        str(one.coefficients),
        *_sizes(one.growth.realised),
        f"{one.growth.macs_ratio:.3f}",
        format_count(one.macs, 4),
        str(len(one.points)),
        percent(standing.mean),
        "yes" if standing.is_equal else "",
    )


def _sizes(multipliers: Any) -> tuple[str, str, str]:
    return tuple(f"{value:.3g}" for value in (multipliers.depth, multipliers.width, multipliers.resolution))  # type: ignore[return-value]


def _facts(outcome: Outcome) -> dict[str, str]:
    answer, config = outcome.answer, outcome.plan.config
    return {
        "accuracy": f"of validation images, mean of {several(config.seeds, 'seed')} with its 95 % interval (variance "
        "pooled over all networks)",
        "cost": _closed(outcome.plan),
        "best": f"{len(answer.equals)} of {len(answer.standings)} networks cannot be told from the best (multiple "
        "comparisons with the best, 95 %)",
        "their range": ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in answer.spread().items()),
        "fitted law": _law(answer),
        "choice": _choice(outcome.choice),
        "against paper": _paper(outcome.choice),
    }


def _closed(plan: Plan) -> str:
    if plan.field.target is None:
        return "as the points round (--raw): larger networks have an advantage"
    target = format_count(plan.field.target, 4)
    return f"all closed to {target} FLOPs, {plan.config.growth:g} times the baseline's; what is missed is adjusted for"


def _law(answer: Answer) -> str:
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
        f"retrained with {several(len(choice.seeds), 'fresh seed')}: {percent(choice.validation)} on validation, "
        f"{percent(choice.test)} on test images (looked at once)"
    )


def _paper(choice: Choice) -> str:
    if choice.contrast is None:
        return f"{PAPER} gives the same network" if choice.paper.arch.key == choice.arch.key else "not compared"
    assert choice.paper_test is not None
    line = choice.contrast.sentence("the choice", f"{PAPER} ({percent(choice.paper_test)})")
    return f"on test images, {line}"


def _family(outcome: Outcome) -> str:
    given, room = found(outcome), Room(outcome.plan.config.batch_size, None)
    members = [grow(given.baseline, given.coefficients, phi, given.rounding, room, False) for phi in FAMILY]
    return f"The family that these coefficients give, rounded as in the papers:\n{family_table(members, room)}"


def _warnings(outcome: Outcome) -> list[str]:
    config, answer = outcome.plan.config, outcome.answer
    lines = []
    if config.seeds < 2:
        lines.append("warning: one seed a network gives no intervals; use --seeds 3 or more")
    if len(answer.equals) == len(answer.standings):
        lines.append("warning: no network can be told from the best: more --seeds, --epochs or --images would help")
    if outcome.choice.contrast and outcome.choice.contrast.warning:
        lines.append(f"warning: {outcome.choice.contrast.warning} (--choice-seeds)")
    pixels = outcome.plan.ground.pixels
    if outcome.choice.contrast and outcome.choice.paper.arch.resolution > pixels:
        lines.append(f"warning: the network of the paper's coefficients sees more pixels than the images' own {pixels}")
    missing = [one for one in outcome.plan.field.networks if one.arch.key not in outcome.accuracies]
    if missing:
        count = several(len(missing), "network")
        lines.append(f"warning: not trained to the end with any seed: {count}, see grid-trials.csv")
    return lines


def _files(folder: Path) -> str:
    return align({
        "coefficients": f"{folder / COEFFICIENTS}  (python -m scaling.family --coefficients {folder / COEFFICIENTS})",
        "networks": f"{folder / NETWORKS}; the chosen one {folder / CHOICE}",
        "all trials": f"{folder / 'grid-trials.csv'}, {folder / 'choice-trials.csv'}",
        "ledger": f"{folder / 'ledger.db'}",
        "report": f"python -m reports.build {folder}  (a page with everything, to read and to mail)",
    })  # fmt: skip

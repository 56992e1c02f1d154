"""What the command prints: the plan before the trainings, the result after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scaling.experiment.wording import PAPER_COEFFICIENTS
from scaling.family_members import MemoryBudget, family_table, grow
from scaling.grid.analysis import NetworkResult
from scaling.grid.conclusions import GridConclusions, describe_cost
from scaling.grid.files import CHOICE, COEFFICIENTS, NETWORKS, found
from scaling.grid.plan import GridPlan
from scaling.grid.run import GridResult
from search_spaces.common.text import align_columns, align_facts, pluralise
from search_spaces.metrics.registry import METRICS
from search_spaces.resizing.compound import Growth
from studies.runs.folder import LEDGER

FAMILY_PHIS = (0.0, 1.0, 2.0, 3.0)


def describe_plan(plan: GridPlan) -> str:
    """What is going to be trained."""
    config, grid = plan.config, plan.grid
    rows = [(str(one.coefficients), *_sizes(one.growth), str(len(one.points))) for one in grid.networks]
    trainings = (len(grid.networks) + 1) * config.seeds
    facts = {
        "baseline": plan.baseline.describe(),
        "grid": grid.describe(),
        "cost": describe_cost(grid.target, config.growth),
        **{f"limit on {METRICS.row(one.metric).label}": one.describe() for one in grid.reach},
        "trainings": f"{trainings}: the networks and their baseline with {pluralise(config.seeds, 'seed')} each, "
        f"{config.epochs} x {config.images or 'all'} images of {config.data.dataset}, recipe {config.recipe}",
        "then": _then(plan),
    }
    if plan.resources:
        facts["workers"] = f"{plan.resources.describe()}, {plan.resources.gpus_per_trial:g} GPU each"
    header = ("nominal a/b/g", "d", "w", "r", "cost", "points")
    return f"{align_facts(facts)}\n\n{align_columns(header, rows)}"


def _then(plan: GridPlan) -> str:
    """What is trained after the grid; the paper's network is known now unless its cost depends on the choice."""
    seeds, target = pluralise(plan.config.choice_seeds, "fresh seed"), plan.grid.target
    excess = plan.budget.excess(plan.budget.values(plan.paper(target).arch)) if target else ""
    if excess:
        return f"the choice with {seeds}, without {PAPER_COEFFICIENTS}: their network is {excess}"
    return f"the choice and {PAPER_COEFFICIENTS} with {seeds} each"


def report(result: GridResult, folder: Path) -> str:
    """The result as text; `folder` is the run's."""
    config, conclusions = result.plan.config, GridConclusions.of(result)
    headline = (
        f"Best coefficients on {config.data.dataset}: {conclusions.describe_coefficients()}\n"
        f"{result.plan.baseline.describe()}\n{result.plan.grid.describe()}"
    )
    facts = {
        "accuracy": f"of validation images, mean of {pluralise(config.seeds, 'seed')} with its 95 % interval (variance "
        "pooled over all networks)",
        "cost": conclusions.describe_cost(),
        "best": conclusions.describe_equals(),
        "fitted law": conclusions.describe_law(),
        "choice": conclusions.describe_choice(),
        "paper": conclusions.compare_with_paper(),
    }
    warnings = [f"warning: {line}" for line in (*conclusions.warnings(config.seeds), *_warnings(result))]
    parts = (headline, _ranking(result), align_facts(facts), _family(result), "\n".join(warnings), _files(folder))
    return "\n\n".join(filter(None, parts))


def _ranking(result: GridResult) -> str:
    plan, names = result.plan, list(dict.fromkeys(["macs", *result.plan.budget.limits]))
    header = ("nominal a/b/g", "d", "w", "r", "cost", *(METRICS.row(name).label for name in names), "points")
    rows = [_row(one, names) for one in result.analysis.ranking]
    if baseline := result.analysis.baseline:
        values = plan.budget.values(plan.grid.baseline)
        rows.append(("baseline", "1", "1", "1", "1", *_metrics(values, names), "", baseline.percent, ""))
    return align_columns((*header, "accuracy", "among the best"), rows)


def _row(one: NetworkResult, names: Sequence[str]) -> tuple[str, ...]:
    return (
        str(one.network.coefficients),
        *_sizes(one.network.growth),
        *_metrics(one.network.limited, names),
        str(len(one.network.points)),
        one.mean.percent,
        "yes" if one.is_equal else "",
    )


def _metrics(values: Mapping[str, int], names: Sequence[str]) -> list[str]:
    return [METRICS.row(name).format(values[name], 4) for name in names]


def _sizes(growth: Growth) -> tuple[str, ...]:
    got = growth.realised
    return (*(f"{value:.3g}" for value in (got.depth, got.width, got.resolution)), f"{growth.macs_ratio:.3f}")


def _family(result: GridResult) -> str:
    origin, budget = found(result), MemoryBudget(result.plan.config.batch_size, None)
    members = [
        grow(origin.baseline, origin.coefficients, phi, origin.rounding, budget, equal_cost=False)
        for phi in FAMILY_PHIS
    ]  # fmt: skip
    return f"The family that these coefficients give, rounded as in the papers:\n{family_table(members, budget)}"


def _warnings(result: GridResult) -> list[str]:
    """Warnings that only the command can give, because it knows the plan."""
    lines, pixels, choice = [], result.plan.baseline.pixels, result.choice
    if choice.contrast and choice.paper.arch.resolution > pixels:
        lines.append(f"the network of the paper's coefficients sees more pixels than the images' own {pixels}")
    untrained = [one for one in result.plan.grid.networks if one.arch.key not in result.accuracies]
    if untrained:
        count = pluralise(len(untrained), "network")
        lines.append(f"not trained to the end with any seed: {count}, see grid-trials.csv")
    return lines


def _files(folder: Path) -> str:
    return align_facts({
        "coefficients": f"{folder / COEFFICIENTS}  (python -m scaling.family --coefficients {folder / COEFFICIENTS})",
        "networks": f"{folder / NETWORKS}; the chosen one {folder / CHOICE}",
        "all trials": f"{folder / 'grid-trials.csv'}, {folder / 'choice-trials.csv'}",
        "ledger": f"{folder / LEDGER}",
        "report": f"python -m reports.build {folder}  (writes one HTML page with all results)",
    })  # fmt: skip

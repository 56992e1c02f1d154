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
from search_spaces.networks.arch import Arch
from search_spaces.resizing.compound import Growth
from search_spaces.resizing.matching import Solution
from studies.runs.folder import LEDGER

FAMILY_PHIS = (0.0, 1.0, 2.0, 3.0)


def describe_plan(plan: GridPlan) -> str:
    """What is going to be trained."""
    config, grid = plan.config, plan.grid
    rows = [(str(one.coefficients), *_sizes(one.growth), str(len(one.points))) for one in grid.networks]
    trainings = (len(grid.networks) + 1) * config.seeds * len(config.factors)
    facts = {
        "baseline": plan.baseline.describe(),
        "grid": grid.describe(),
        "cost": describe_cost(grid.target, config.growth),
        **{f"limit on {METRICS.row(one.metric).label}": one.describe() for one in grid.reach},
        "trainings": f"{trainings}: the networks and their baseline with {pluralise(config.seeds, 'seed')} each, "
        f"{config.epochs} x {config.images or 'all'} images of {config.data.dataset}, recipe {config.recipe}"
        f"{config.describe_factors()}",
        "then": _then(plan),
    }
    if plan.resources:
        facts["workers"] = f"{plan.resources.describe()}, {plan.resources.gpus_per_trial:g} GPU each"
    header = ("nominal a/b/g", "d", "w", "r", "cost", "points")
    return f"{align_facts(facts)}\n\n{align_columns(header, rows)}"


def _then(plan: GridPlan) -> str:
    """What is trained after the grid; the paper's network is known now unless its cost depends on the choice."""
    seeds, target = pluralise(plan.config.choice_seeds, "fresh seed"), plan.grid.target
    paper = plan.paper(target) if target else None
    excess = plan.budget.excess(plan.budget.values(paper.arch)) if paper else ""
    if excess:
        return f"the choice with {seeds}, without {PAPER_COEFFICIENTS}: their network is {excess}"
    then = f"the choice and {PAPER_COEFFICIENTS} with {seeds} each"
    if not plan.config.lr_per_network:
        return then
    return f"{_rates_of_paper(plan, paper)}{then}, each at its own learning rate"


def _rates_of_paper(plan: GridPlan, paper: Solution | None) -> str:
    """The trainings that find the learning rate of the paper's network; None if the network is not known yet."""
    if paper and not plan.trains_rates_of(paper):
        return ""
    many = plan.config.seeds * len(plan.config.factors)
    condition = "" if paper else ", unless its network is on the grid"
    return f"{pluralise(many, 'training')} for the learning rate of {PAPER_COEFFICIENTS}{condition}; "


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
        **({"learning rate": conclusions.describe_rates()} if conclusions.rates else {}),
        "fitted law": conclusions.describe_law(),
        "choice": conclusions.describe_choice(),
        "paper": conclusions.compare_with_paper(),
    }
    warnings = [f"warning: {line}" for line in (*conclusions.warnings(config.seeds), *_warnings(result))]
    texts = (headline, _ranking(result), align_facts(facts), _family(result), "\n".join(warnings))
    parts = (*texts, _files(folder, result.rates is not None))
    return "\n\n".join(filter(None, parts))


def _ranking(result: GridResult) -> str:
    plan, names = result.plan, list(dict.fromkeys(["macs", *result.plan.budget.limits]))
    rate = ("lr",) if result.rates else ()
    header = ("nominal a/b/g", "d", "w", "r", "cost", *(METRICS.row(name).label for name in names), "points", *rate)
    rows = [_row(one, names, result) for one in result.analysis.ranking]
    if baseline := result.analysis.baseline:
        values = plan.budget.values(plan.grid.baseline)
        own = _rate(result, plan.grid.baseline)
        rows.append(("baseline", "1", "1", "1", "1", *_metrics(values, names), "", *own, baseline.percent, ""))
    return align_columns((*header, "accuracy", "among the best"), rows)


def _row(one: NetworkResult, names: Sequence[str], result: GridResult) -> tuple[str, ...]:
    return (
        str(one.network.coefficients),
        *_sizes(one.network.growth),
        *_metrics(one.network.limited, names),
        str(len(one.network.points)),
        *_rate(result, one.network.arch),
        one.mean.percent,
        "yes" if one.is_equal else "",
    )


def _rate(result: GridResult, arch: Arch) -> tuple[str, ...]:
    """The cell with a network's learning rate, if networks have their own."""
    return (f"{result.rates.rate(arch.key):g}",) if result.rates else ()


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


def _files(folder: Path, with_rates: bool) -> str:
    trials = f"{folder / 'grid-trials.csv'}, {folder / 'choice-trials.csv'}"
    if with_rates:
        trials = f"{folder / '*-trials.csv'}, a file for each phase and learning rate"
    return align_facts({
        "coefficients": f"{folder / COEFFICIENTS}  (python -m scaling.family --coefficients {folder / COEFFICIENTS})",
        "networks": f"{folder / NETWORKS}; the chosen one {folder / CHOICE}",
        "all trials": trials,
        "ledger": f"{folder / LEDGER}",
        "report": f"python -m reports.build {folder}  (writes one HTML page with all results)",
    })  # fmt: skip

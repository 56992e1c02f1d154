"""What a training says at its end, as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from search_spaces.common.text import align_facts, pluralise
from search_spaces.common.units import format_duration
from search_spaces.metrics.counts import cost
from studies.runs.folder import RunFolder
from studies.statistics.intervals import Estimate, mean_interval
from studies.train.plan import TrainPlan, describe_network, describe_recipe
from studies.train.run import Trained
from studies.trainer.registry import RECIPES
from studies.trainer.scoring import TOP_K

RESULT = "result.json"


def report(plan: TrainPlan, trained: Sequence[Trained], run: RunFolder) -> str:
    """The result as text: network, accuracy with its confidence interval, training time, files."""
    seeds = pluralise(len(trained), "seed")
    rows = {
        "data": plan.config.data.dataset,
        "recipe": describe_recipe(plan),
        "test images": f"{_accuracy(plan, trained)} (used once; {seeds}, weights of {_kept_epoch(plan, trained)})",
        "validation": _estimate(one.validation for one in trained).percent,
        "time": f"{format_duration(float(round(sum(one.seconds for one in trained))))} for {seeds}",
        "weights": " ".join(str(run.folder / one.weights) for one in trained),
        "curves": str(run.path("metrics.csv")),
    }
    lines = [describe_network(plan.arch), "", align_facts(rows)]
    if len(trained) == 1:
        lines += ["", "With one seed there is no confidence interval; rerun with --seeds 3 to get one."]
    return "\n".join([*lines, *_early(plan, trained)])


def write_result(plan: TrainPlan, trained: Sequence[Trained], run: RunFolder) -> None:
    """Write result.json: everything in raw units, accuracies as shares."""
    spent, recipe = cost(plan.arch), plan.config.recipe
    values: dict[str, Any] = {
        "arch": plan.arch.key,
        "name": plan.arch.name,
        "params": spent.params,
        "macs": spent.macs,
        "resolution": plan.arch.resolution,
        "classes": plan.arch.classes,
        "dataset": plan.config.data.dataset,
        "recipe": {"name": recipe, "source": RECIPES.row(recipe).source, **dataclasses.asdict(plan.recipe)},
        "test_top1": _estimate(one.test.top1 for one in trained).to_dict(),
        "test_top5": _estimate(one.test.top5 for one in trained).to_dict(),
        "validation": _estimate(one.validation for one in trained).to_dict(),
        "seeds": [_seed(one) for one in trained],
    }
    run.write(RESULT, json.dumps(values, indent=2) + "\n")


def _seed(one: Trained) -> dict[str, Any]:
    values = dataclasses.asdict(one)
    del values["curve"]
    return values | {"seconds": one.seconds}


def _estimate(values: Any) -> Estimate:
    return mean_interval(list(values))


def _accuracy(plan: TrainPlan, trained: Sequence[Trained]) -> str:
    top1 = f"top-1 {_estimate(one.test.top1 for one in trained).percent}"
    if plan.arch.classes <= TOP_K:
        return top1
    return f"{top1}, top-5 {_estimate(one.test.top5 for one in trained).percent}"


def _kept_epoch(plan: TrainPlan, trained: Sequence[Trained]) -> str:
    if not plan.recipe.patience:
        return "the last epoch"
    return f"the best epoch on validation images: {', '.join(f'{one.epoch:g}' for one in trained)}"


def _early(plan: TrainPlan, trained: Sequence[Trained]) -> list[str]:
    """A line for each training that stopped early."""
    return [
        f"Seed {one.seed} stopped after epoch {one.epochs:g} of {plan.recipe.epochs}: epoch {one.epoch:g} was the best."
        for one in trained
        if one.epochs < plan.recipe.epochs
    ]

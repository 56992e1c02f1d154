"""A finished or running search as one tidy table: what every trial was, what it cost and what reward it reached."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nas.objectives.form import RELATIVE, Objective
from nas.objectives.registry import make_objective
from nas.objectives.rewards import PARAMS_WEIGHT, WEIGHT, Aim
from nas.search.conclusions import SearchConclusions
from reports.page.metrics import is_metric, metric_row
from reports.reading.labels import labels
from reports.reading.runs import Kind, RunData
from reports.reading.target import target_of
from search_spaces.metrics.limits import parse_limits
from search_spaces.metrics.registry import METRICS, Metric
from search_spaces.networks.arch import Arch
from studies.outcome import Outcome
from studies.timing.step_time import KEYS

NUMBERS = ("number", "accuracy", "macs", "seconds", *KEYS)
FINAL = tuple(str(outcome) for outcome in Outcome if outcome.is_final)


@dataclass(frozen=True)
class SearchData:
    """A search.

    run      its folder's contents
    label    its name, unlike that of the others in the report; alone: whether there are no others
    aim            target, metric and weights of its objective; None where its configuration cannot be read
    objective      what it maximised; None likewise
    limits         highest allowed value of each limited metric, by name
    rows     every candidate's trial, those that are waiting, running or interrupted too (see `studies.ledger.frame`)
    trials   those that are over and count, in order: number, outcome, accuracy (0..1, last rung), the metrics of the
             full network by name, seconds, key, drawn, exempt, repeated, and with them
               trial    1, 2, ... ; spent: worker-seconds until its end
               step_time, relative_step_time, relative_params   of the full network, where the objective needs them
               reward   of its last rung; complete: trained to the end; best: highest reward of a complete one so far
    """

    run: RunData
    label: str
    alone: bool
    aim: Aim | None
    objective: Objective | None
    limits: dict[str, int]
    rows: pd.DataFrame
    trials: pd.DataFrame

    @property
    def metric(self) -> Metric:
        """The metric of the target; multiply-adds where that cannot be read."""
        return METRICS["macs"] if self.aim is None else METRICS.row(self.aim.metric)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that figures and tables show: multiply-adds and those of target, axes and limits."""
        axes = () if self.objective is None else self.objective.axes
        names = dict.fromkeys(["macs", self.metric.name, *axes, *self.limits])
        return [metric_row(name) for name in names if name in self.trials]

    @property
    def complete(self) -> pd.DataFrame:
        """Each different network that was trained to the end, once."""
        return self.trials[self.trials["complete"] & ~self.trials["repeated"]].drop_duplicates("key")

    @property
    def best(self) -> pd.Series | None:
        """The candidate with the highest reward; None where none was trained to the end."""
        complete = self.complete
        if complete.empty:
            return None
        return complete.iloc[int(complete["reward"].to_numpy().argmax())]

    @property
    def winner_key(self) -> str:
        """The winner's key; before finalists have decided, the best candidate's; empty where there is none."""
        best = self.run.result.get("best")
        if isinstance(best, dict) and best.get("key"):
            return str(best["key"])
        return "" if self.best is None else str(self.best["key"])

    @property
    def conclusions(self) -> SearchConclusions:
        """What it gained over its controls; nothing where that is missing or broken."""
        try:
            return SearchConclusions.of_dict(self.run.result.get("verdict"))
        except ValueError:
            return SearchConclusions()

    @property
    def winner(self) -> Arch | None:
        """The winner's network; None where there is none yet."""
        return self.run.arch("best.json") if (self.run.folder / "best.json").exists() else None

    def named(self, name: str) -> str:
        """A figure's or table's name, telling which search it is of where there are several."""
        return f"search-{name}" if self.alone else f"search-{self.label}-{name}"


def searches(runs: Sequence[RunData]) -> list[SearchData]:
    """The searches among the runs, each with a name of its own."""
    found = [run for run in runs if run.kind is Kind.SEARCH]
    return [_searched(run, label, len(found) == 1) for run, label in zip(found, labels(found), strict=True)]


def _searched(run: RunData, label: str, alone: bool) -> SearchData:
    rows = run.trials["search"].copy()
    if "phase" in rows:
        rows = rows[rows["phase"] == "candidate"]
    aim, objective = _objective(run)
    return SearchData(run, label, alone, aim, objective, _limits(run), rows, _tidy(rows, objective))


def _objective(run: RunData) -> tuple[Aim | None, Objective | None]:
    config = run.config
    try:
        metric, target = target_of(config)
        asked = config.get("objective", {})
        weights = (float(asked.get("weight", WEIGHT)), float(asked.get("params_weight", PARAMS_WEIGHT)))
        aim = Aim(target, metric.name, *weights, tuple(asked.get("axes", ())))
        return aim, make_objective(str(asked.get("name", "soft")), aim)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        run.notes.append(f"config.yaml: the objective cannot be read: {error}")
        return None, None


def _limits(run: RunData) -> dict[str, int]:
    config = run.config
    named = {"max_params": "params", "max_memory": "inference_memory"}
    try:
        given = {setting: (metric, config.get(setting)) for setting, metric in named.items()}
        return parse_limits(given, config.get("limits") or ())
    except (TypeError, ValueError, AttributeError) as error:
        run.notes.append(f"config.yaml: the limits cannot be read: {error}")
        return {}


def _tidy(rows: pd.DataFrame, objective: Objective | None) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {name: _numbers(rows, name) for name in NUMBERS}
    columns |= {name: _texts(rows, name) for name in ("reason", "key", "proposed_by")}
    columns["outcome"] = outcomes_of(rows)
    columns["never_pruned"] = _texts(rows, "never_pruned").str.lower() == "true"
    columns["repeated"] = _numbers(rows, "repeat_of").notna()
    names = [str(name) for name in rows]
    rungs = [name for name in names if re.fullmatch(r"accuracy_\d+", name)]
    columns |= {name: _numbers(rows, name) for name in sorted(rungs, key=lambda name: int(name[9:]))}
    columns |= {name: _texts(rows, name) for name in names if name.startswith("choice_")}
    columns |= {name: _numbers(rows, name) for name in names if _is_metric(name)}
    table = pd.DataFrame(columns, index=rows.index)
    table = table[table["outcome"].isin(FINAL)].sort_values("number", kind="stable").reset_index(drop=True)
    table["reward"] = [np.nan] * len(table) if objective is None else rewards(table, objective)
    # Without a step time the training-aware reward of a trained network is not known.
    table["complete"] = (table["outcome"] == Outcome.COMPLETE) & table["reward"].notna()
    table["trial"] = np.arange(1, len(table) + 1)
    table["spent"] = table["seconds"].fillna(0.0).cumsum()
    table["best"] = table["reward"].where(table["complete"]).cummax().ffill()
    return table


def rewards(trials: pd.DataFrame, objective: Objective) -> list[float]:
    """Each row's reward by its accuracy and metrics; NaN where one of those that the objective needs is missing."""
    names = [name for name in map(str, trials) if _is_metric(name)]
    table = [_numbers(trials, name) for name in ("accuracy", *names)]
    return [_reward(objective, row[0], dict(zip(names, row[1:], strict=True))) for row in zip(*table, strict=True)]


def _reward(objective: Objective, accuracy: float, metrics: dict[str, float]) -> float:
    if np.isnan(accuracy) or not metrics.get("macs", 1.0) > 0:
        return np.nan
    return objective.reward(accuracy, metrics)


def in_units(value: float) -> float:
    """A metric's value as its trial has it: whole numbers are whole."""
    return int(value) if float(value).is_integer() else float(value)


def _is_metric(column: str) -> bool:
    return is_metric(column) or column.startswith(RELATIVE)


def phases_of(rows: pd.DataFrame) -> pd.Series:
    """Each trial's phase as text; empty where it is not known."""
    return _texts(rows, "phase")


def outcomes_of(rows: pd.DataFrame) -> pd.Series:
    """Each trial's outcome, or the state of one that is not over, as text."""
    # Every trial has one; a CSV file's "nan" is read as a missing value.
    return _texts(rows, "outcome").replace("", str(Outcome.NAN))


def _numbers(rows: pd.DataFrame, name: str) -> pd.Series:
    values = rows[name] if name in rows else pd.Series(np.nan, index=rows.index)
    return pd.to_numeric(values, errors="coerce").astype(float)


def _texts(rows: pd.DataFrame, name: str) -> pd.Series:
    values = rows[name] if name in rows else pd.Series("", index=rows.index)
    return values.astype(object).where(values.notna(), "").astype(str)

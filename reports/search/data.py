"""A finished or running search as one tidy table: what every trial was, what it cost and what reward it reached."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nas.objectives import PARAMS_WEIGHT, WEIGHT, Objective, Relative
from reports.reading.labels import labels
from reports.reading.runs import Kind, RunData
from search_spaces.common.units import parse_count
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
    objective      what it maximised; None where its configuration can't be read
    rows     every candidate's trial, those that are waiting, running or interrupted too (see `studies.ledger.frame`)
    trials   those that are over and count, in order: number, outcome, accuracy (0..1, last rung), macs (full network),
             seconds, key, drawn, exempt, repeated, and with them
               trial    1, 2, ... ; spent: worker-seconds until its end
               step_seconds, relative_step, relative_params   of the full network, where the objective needs them
               reward   of its last rung; complete: trained to the end; best: highest reward of a complete one so far
    """

    run: RunData
    label: str
    alone: bool
    objective: Objective | None
    rows: pd.DataFrame
    trials: pd.DataFrame

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
    objective = _objective(run)
    return SearchData(run, label, alone, objective, rows, _tidy(rows, objective))


def _objective(run: RunData) -> Objective | None:
    config = run.config
    try:
        target = parse_count(str(config["target_flops"]))
        asked = config.get("objective", {})
        weights = (float(asked.get("weight", WEIGHT)), float(asked.get("params_weight", PARAMS_WEIGHT)))
        return Objective(str(asked.get("name", "soft")), target, *weights)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        run.notes.append(f"config.yaml: the objective cannot be read: {error}")
        return None


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
    """Each row's reward by its accuracy, macs and, where it has them, relative_step and relative_params; else NaN."""
    columns = (_numbers(trials, name) for name in ("accuracy", "macs", *KEYS[1:]))
    return [_reward(objective, *row) for row in zip(*columns, strict=True)]


def _reward(objective: Objective, accuracy: float, macs: float, step: float, params: float) -> float:
    if np.isnan(accuracy) or not macs > 0:
        return np.nan
    return objective.reward(accuracy, int(macs), None if np.isnan(step + params) else Relative(step, params))


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

"""The tables about a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nas.search.conclusions import Gain, describe_gain
from nas.search.finalists import CONTROL_PHASE
from nas.search.wording import NOT_DIFFERENT
from reports.page.content import Cell, Column, Table
from reports.page.metrics import metric_column
from reports.page.network_tables import Row, layer_rows, stage_rows
from reports.page.values import blank, count, estimate_of, half_width, percentage, whole
from reports.reading.target import best_value
from reports.search.data import SearchData, in_units, outcomes_of, phases_of, rewards
from reports.search.reranking import Pick
from reports.search.rung_agreement import Agreement
from search_spaces.common.units import format_duration
from search_spaces.networks.arch import Arch
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate, pooled_intervals

ACCURACY = Column("accuracy", "accuracy", "%", percentage, "Share of the validation images the proxy gets right.")
REWARD = Column("reward", "reward", "", blank(lambda value: f"{value:.4f}"))
TIME = Column("seconds", "worker time", "", blank(lambda value: format_duration(value, 0)))
NETWORK = Column("key", "network", "", str, "The network's key: equal keys are the same network.")
COSTS = (
    Column("params", "params", "", count), Column("macs", "multiply-adds", "", count),
    Column("share", "share", "%", percentage, "Of the network's multiply-adds."),
    Column("activations", "activations", "", count, "Numbers that convolution and linear layers put out."),
)  # fmt: skip
SHAPE = (
    Column("operator", "operator"), Column("input", "input", "H x W x C"), Column("out", "out", "channels"),
    Column("layers", "layers"), Column("stride", "stride", "", whole), Column("skip", "skip"),
)  # fmt: skip
# What an outcome, or the state of a trial that is not over, means.
MEANINGS = {
    Outcome.COMPLETE: "trained to the end",
    Outcome.PRUNED: "stopped early: it was behind others at the same point of its training",
    Outcome.INFEASIBLE: "cannot be trained at all",
    Outcome.NAN: "the training diverged",
    Outcome.OUT_OF_MEMORY: "too large for the memory",
    Outcome.ERROR: "the training failed",
    Outcome.INTERRUPTED: "the run was interrupted; the trial was, or will be, run again",
    "running": "running, or left behind by a run that was killed",
    "waiting": "yet to be run",
}
MAX_REASONS = 8


def metric_columns(searched: SearchData) -> list[Column]:
    """The columns of the metrics that the search is about."""
    return [metric_column(one.name, definition=f"Of the full network; {one.source}.") for one in searched.metrics]


def stage_table(searched: SearchData, arch: Arch) -> Table:
    """The network as the papers print it."""
    columns = (Column("stage", "stage"), *SHAPE, *COSTS)
    return Table(searched.named("stages"), "The network, a row a stage", columns, stage_rows(arch))


def layer_table(searched: SearchData, arch: Arch) -> Table:
    """The network's layers and their costs."""
    columns = (Column("stage", "layer"), *(column for column in SHAPE if column.key != "layers"), *COSTS)
    return Table(searched.named("layers"), "What each layer costs", columns, layer_rows(arch))


def finalist_table(searched: SearchData) -> Table | None:
    """Finalists with their seeds' mean accuracy; None where no finalist has finished."""
    rows = _finalists(searched)
    columns = (
        NETWORK, *metric_columns(searched), ACCURACY,
        Column("half", "±", "%", percentage, "Half of the 95 % interval over seeds."),
        Column("seeds", "seeds"), REWARD, Column("verdict", "compared with the best"),
    )  # fmt: skip
    note = (
        "Proxies trained longer than the candidates, with more seeds; accuracy on validation images. "
        "The intervals' variance is pooled over all finalists."
    )
    named = searched.named("finalists")
    return Table(named, "Finalists", columns, rows, note, lambda row: row["verdict"] == "the best") if rows else None


def _finalists(searched: SearchData) -> list[Row]:
    frame = searched.run.trials["finalists"]
    names = {metric.name for metric in searched.metrics}
    if searched.objective is None or not {"outcome", "key", "accuracy", *names} <= set(frame.columns):
        return []
    frame = frame[phases_of(frame) != CONTROL_PHASE]
    done = frame[(frame["outcome"] == Outcome.COMPLETE) & frame["accuracy"].notna() & (frame["macs"] > 0)]
    groups = [(str(key), group) for key, group in done.groupby("key")]
    if not groups:
        return []
    means = pooled_intervals([group["accuracy"].tolist() for _, group in groups])
    rows = [_finalist(searched, key, group, mean) for (key, group), mean in zip(groups, means, strict=True)]
    return sorted(rows, key=lambda row: -float(row["reward"] or 0))


def _finalist(searched: SearchData, key: str, group: pd.DataFrame, mean: Estimate) -> Row:
    costs: Row = {metric.name: in_units(group[metric.name].iloc[0]) for metric in searched.metrics}
    half = (mean.high - mean.low) / 2
    assert searched.objective is not None
    return costs | {
        "key": key, "accuracy": mean.value, "half": half if half < 1 else None, "seeds": len(group),
        "reward": float(pd.Series(rewards(group, searched.objective)).mean()),
        "verdict": _verdict(searched, key),
    }  # fmt: skip


def _verdict(searched: SearchData, key: str) -> str:
    equals = searched.run.result.get("indistinguishable_from_best")
    if not searched.run.result:
        return ""
    if key == _first(searched):
        return "the best"
    return "not known: one seed" if equals is None else NOT_DIFFERENT if key in equals else "worse"


def _first(searched: SearchData) -> str:
    """The best finalist, in whose place a control may have been adopted."""
    ranked = searched.run.result.get("finalists")
    first = ranked[0] if isinstance(ranked, list) and ranked else {}
    return str(first.get("key", searched.winner_key)) if isinstance(first, dict) else searched.winner_key


def control_table(searched: SearchData) -> Table | None:
    """The controls: what each became, and what the winner gained over it; None without controls."""
    found, metric = searched.run.result.get("controls"), searched.metric
    if not isinstance(found, list) or not found:
        return None
    gains = {gain.over: gain for gain in searched.conclusions.known}
    columns = (
        Column("name", "control"), NETWORK, Column("width", "width", "x", blank(lambda value: f"{value:.3f}")),
        Column("layers", "layers"),
        Column("ratio", "of target", "%", percentage, f"Its {metric.label} over the target, after rounding."),
        ACCURACY, REWARD, Column("gain", "winner's gain in reward", "points, 95 %"),
    )  # fmt: skip
    note = "Trained with the seeds, recipe and images of the finalists. Intervals hold for all comparisons at once."
    rows = [_control(one, gains.get(str(one["name"]))) for one in found]
    return Table(searched.named("controls"), "Controls", columns, rows, note)


def _control(one: Mapping[str, Any], gain: Gain | None) -> Row:
    accuracies = one["accuracies"]
    return {
        "name": one["name"], "key": one["key"], "width": one["width"], "layers": one["layers"],
        "ratio": one["cost_over_target"], "reward": one["reward"],
        "accuracy": sum(accuracies) / len(accuracies) if accuracies else None,
        "gain": one["problem"] or ("" if gain is None else describe_gain(gain.reward)),
    }  # fmt: skip


def pick_table(searched: SearchData, picked: Sequence[Pick]) -> Table:
    """The same trials under other objectives."""
    rows: list[Row] = [
        {
            **one.metrics, "objective": f"{one.objective}{' (this search)' if one.own else ''}", "key": one.key,
            "accuracy": one.accuracy, "rank": one.rank, "winner": one.key == searched.winner_key,
        }
        for one in picked
    ]  # fmt: skip
    place = "The place of the search's winner among all networks trained to the end, under this objective."
    columns = (
        Column("objective", "objective"), NETWORK, *metric_columns(searched), ACCURACY,
        Column("rank", "the winner's place", "", whole, place),
        Column("winner", "picks the winner", "", lambda value: "yes" if value else "no"),
    )  # fmt: skip
    assert searched.aim is not None
    target = searched.metric.describe(searched.aim.target)
    note = f"T is {target}. Accuracies are those of the candidates' one training."
    return Table(searched.named("objectives"), "What other objectives would have picked", columns, rows, note)


def rung_table(searched: SearchData, found: Sequence[Agreement]) -> Table:
    """Kendall's tau of each rung with the last."""
    rows: list[Row] = [
        {"step": one.step, "tau": one.tau.value, "low": one.tau.low, "high": one.tau.high, "n": one.tau.n}
        for one in found
    ]
    show = blank(lambda value: f"{value:.2f}")
    columns = (
        Column("step", "after pass"), Column("tau", "Kendall's tau", "", show), Column("low", "low", "95 %", show),
        Column("high", "high", "95 %", show), Column("n", "networks"),
    )  # fmt: skip
    return Table(searched.named("rungs"), f"Agreement with the ranking after pass {found[0].last}", columns, rows)


def outcome_table(searched: SearchData) -> Table:
    """How all trials ended, those of candidates, finalists and controls."""
    finalists = searched.run.trials["finalists"]
    controls = phases_of(finalists) == CONTROL_PHASE
    frames = {"candidates": searched.rows, "finalists": finalists[~controls], "controls": finalists[controls]}
    rows = [row for phase, frame in frames.items() for row in _outcomes(phase, frame)]
    columns = (
        Column("phase", "phase"), Column("outcome", "outcome"), Column("trials", "trials"), TIME,
        Column("meaning", "meaning"),
    )  # fmt: skip
    return Table(searched.named("outcomes"), "How all trials ended", columns, rows)


def _outcomes(phase: str, frame: pd.DataFrame) -> list[Row]:
    if frame.empty:
        return []
    seconds = pd.to_numeric(frame["seconds"], errors="coerce") if "seconds" in frame else pd.Series(0.0, frame.index)
    outcomes = outcomes_of(frame)
    return [
        {
            "phase": phase, "outcome": outcome, "trials": number,
            "seconds": float(seconds[outcomes == outcome].sum()), "meaning": MEANINGS.get(outcome, "not known"),
        }
        for outcome, number in Counter(outcomes).most_common()
    ]  # fmt: skip


def reason_table(searched: SearchData) -> Table | None:
    """Why candidates failed on their own or with an error, the most frequent reasons first; None where none did."""
    trials = searched.trials
    failed = trials[~trials["outcome"].isin((Outcome.COMPLETE, Outcome.PRUNED))]
    if failed.empty:
        return None
    counts = Counter(zip(failed["outcome"], failed["reason"], strict=True)).most_common(MAX_REASONS)
    rows: list[Row] = [{"outcome": outcome, "reason": reason, "trials": n} for (outcome, reason), n in counts]
    columns = (Column("outcome", "outcome"), Column("reason", "reason"), Column("trials", "trials"))
    return Table(searched.named("failures"), "Why candidates failed", columns, rows)


def comparison_table(found: Sequence[SearchData]) -> Table:
    """Several searches side by side."""
    columns = (
        Column("run", "run"), Column("status", "status"), Column("space", "space"), Column("dataset", "data set"),
        Column("proxy", "proxy"), Column("sampler", "sampler"), Column("objective", "objective"),
        Column("target", "target"), Column("trials", "candidates"), TIME,
        Column("best", "best reward", "of a candidate", REWARD.show), NETWORK, metric_column("macs"),
        Column("accuracy", "accuracy", "%", str, "The winner's proxy on validation images, mean over its seeds."),
    )  # fmt: skip
    return Table("search-runs", "The searches side by side", columns, [_compared(one) for one in found])


def _compared(one: SearchData) -> dict[str, Cell]:
    config, best, winner = one.run.config, one.best, one.run.result.get("best")
    winner = winner if isinstance(winner, dict) else {}
    texts: dict[str, Cell] = {name: str(config.get(name, "")) for name in ("space", "sampler")}
    return texts | {
        "run": one.label, "status": one.run.status, "dataset": str(one.run.setting("data.dataset", "")),
        "proxy": proxy_text(one),
        "objective": str(one.objective or ""),
        "target": "" if one.aim is None else one.metric.describe(one.aim.target), "trials": len(one.trials),
        "seconds": float(one.trials["seconds"].sum()), "best": None if best is None else float(best["reward"]),
        "key": winner.get("key", ""), "macs": best_value(one.run.result, "macs"), "accuracy": accuracy_text(one),
    }  # fmt: skip


def proxy_text(one: SearchData) -> str:
    """The proxy in words, such as "28 px, width x0.25, 4,000 images, 2 passes"."""
    proxy = one.run.config.get("proxy")
    proxy = proxy if isinstance(proxy, dict) else {}
    texts = {"resolution": "{} px", "width": "width x{:g}", "images": "{:,} images", "epochs": "{} passes"}
    # Images that are not given are all of them.
    known = [name for name in texts if isinstance(proxy.get(name), int | float)]
    return ", ".join(texts[name].format(proxy[name]) for name in known).replace(" 1 passes", " 1 pass")


def accuracy_text(one: SearchData, of: str = "validation") -> str:
    """The winner's accuracy with its interval, such as "84.3 ± 0.6"; empty where there is none."""
    proxy = one.run.result.get("proxy")
    found = estimate_of(proxy.get(f"{of}_accuracy")) if isinstance(proxy, dict) else None
    if found is None:
        return ""
    half = half_width(found)
    return f"{100 * found.value:.1f}" + ("" if half is None else f" ± {100 * half:.1f}")

"""The first section: question, answer, what it cost, what made it, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reports.health.warnings import warnings
from reports.page.content import Cell, Column, Figure, Section, Table
from reports.page.values import whole
from reports.reading.effort import efforts, numbers
from reports.reading.runs import Kind, RunData
from reports.reading.timeline import timeline
from reports.summary.answers import answer, question
from search_spaces.common.text import pluralise
from search_spaces.common.units import format_count, format_duration

MODULES = {Kind.SEARCH: "nas.search", Kind.GRID: "scaling.grid", Kind.CURVES: "scaling.curves"}
MAX_SEEDS = 8
TERMS = {
    "FLOPs": "Multiply-adds of convolution and linear layers for one image, as the papers count them; some tools "
    "count each of them twice.",
    "proxy": "A cheaper network (fewer channels, smaller images, short training) that is trained in another's place, "
    "because training all candidates in full would cost too much. Its accuracy only ranks networks.",
    "finalist": "One of the best candidates, trained longer and with more seeds before the winner is named.",
    "control": "A network that the search did not find, trained beside the finalists to judge what the search gained.",
    "seed": "The number that starts all random choices of a training. Several trainings of one network that differ in "
    "the seed alone show how much of a difference is chance.",
    "test images": "Images that took no part in training or in any choice, used once, at the end.",
    "95 % confidence": "A procedure for intervals or sets that is right 19 times in 20.",
    "worker hour": "One hour of one worker, that is of one training slot: two trainings side by side for an hour are "
    "two worker hours.",
    "commit": 'The version of the program, as in git; "+changes" means that files had been edited since.',
}


def sections(runs: Sequence[RunData]) -> list[Section]:
    """The summary of all runs."""
    items: list[str | Figure | Table] = []
    for run in runs:
        items += _asked(run, several_runs=len(runs) > 1)
    items += [_cost(runs), _facts(runs)]
    for run in runs:
        items += _again(run)
    count = sum(len(warnings(run)) for run in runs)
    warned = [f"{pluralise(count, 'warning')} on how far to trust this: see Run health"] if count else []
    return [Section("summary", "Summary", items, warned, _missing(runs), TERMS)]


def _asked(run: RunData, *, several_runs: bool) -> list[str]:
    name = f"{run.name}: " if several_runs else ""
    return [f"{name}{question(run)}", f"Answer: {answer(run)}"]


def _cost(runs: Sequence[RunData]) -> Table:
    rows: list[Mapping[str, Cell]] = []
    for run in runs:
        done, line = efforts(run), timeline(run)
        rows.append({
            "run": run.name,
            "trainings": sum(len(one.seconds) for one in done),
            "worker_hours": sum(one.hours for one in done),
            "images": sum(one.images for one in done),
            "wall_seconds": _wall(run),
            "utilisation": line.utilisation if line else None,
        })  # fmt: skip
    columns = (
        Column("run", "Run"),
        Column("trainings", "Trainings", "", whole),
        Column("worker_hours", "Worker time", "h", lambda value: f"{value:.2f}", TERMS["worker hour"]),
        Column("images", "Images trained on", "", lambda value: format_count(value, 3),
               "Training images, each counted as often as it was seen."),
        Column("wall_seconds", "Time", "", lambda value: format_duration(value, 0), "By the clock, pauses left out."),
        Column("utilisation", "Workers busy", "%", lambda value: f"{100 * value:.0f}",
               "Share of the workers' time that was spent in trainings; the rest is starting, waiting, bookkeeping."),
    )  # fmt: skip
    note = "Energy was not measured. What trainings cut short by an interruption took is not recorded."
    return Table("cost", "What it cost", columns, rows, note)


def _facts(runs: Sequence[RunData]) -> Table:
    facts = [facts_of(run) for run in runs]
    names = list(dict.fromkeys(name for one in facts for name in one))
    rows = [{"fact": name, **{f"run{place}": one.get(name) for place, one in enumerate(facts)}} for name in names]
    columns = [Column("fact", ""), *(Column(f"run{place}", run.name) for place, run in enumerate(runs))]
    return Table("provenance", "How it was made", columns, rows, sortable=False)


def facts_of(run: RunData) -> dict[str, str]:
    """How the run was made: facts by name; unknown ones are left out."""
    last = _session(run)
    machine = _mapping(last.get("machine"))
    found = {
        "Status": run.status,
        "Data": _data(run),
        "Training": _training(run),
        "Seeds": _seeds(run),
        "Started": _moment(run.manifest.get("start")),
        "Ended": _moment(run.manifest.get("end")),
        "Sessions": str(len(_sessions(run)) or ""),
        "Machine": ", ".join(
            str(part) for part in (machine.get("name"), machine.get("processor"), machine.get("system")) if part
        ),
        "Cores": str(machine.get("cores", "")),
        "Versions": ", ".join(f"{name} {version}" for name, version in _mapping(last.get("versions")).items()),
        "Commit": _short(str(last.get("commit") or "")),
    }
    return {name: text for name, text in found.items() if text}


def command(run: RunData) -> str:
    """The last command of the run, the interpreter's path left out; empty where it is not known."""
    try:
        words = shlex.split(str(_session(run).get("command", "")))
    except ValueError:
        return ""
    if words and Path(words[0]).name.startswith("python"):
        words[0] = "python"
    return shlex.join(words)


def _again(run: RunData) -> list[str]:
    made = command(run)
    if not made:
        return []
    settings = f"`python -m {MODULES[run.kind]} --config {run.folder}/config.yaml --run runs/again`"
    return [f"The command that made {run.name}; {settings} repeats it in another folder:", f"`{made.replace('`', '')}`"]


def _missing(runs: Sequence[RunData]) -> list[str]:
    commands = {
        Kind.SEARCH: "a search for a baseline network: `python -m nas.search --target-flops 400M`",
        Kind.GRID: "scaling coefficients alpha, beta, gamma: `python -m scaling.grid`",
        Kind.CURVES: "curves that compare scaling strategies: `python -m scaling.curves`",
    }
    there = {run.kind for run in runs}
    return [line for kind, line in commands.items() if kind not in there]


def _data(run: RunData) -> str:
    config = run.config
    held_out = config.get("validation")
    return str(run.setting("data.dataset", "")) + (f", {held_out:,} images held out for validation" if held_out else "")


def _training(run: RunData) -> str:
    config = run.config
    proxy = _mapping(config.get("proxy")) if run.kind is Kind.SEARCH else config
    images, epochs = proxy.get("images"), proxy.get("epochs")
    if epochs is None:
        return ""
    amount = f"{images:,}" if isinstance(images, int) and images else "all"
    text = f"recipe {config.get('recipe', '?')}, {pluralise(int(epochs), 'epoch')} of {amount} images"
    if run.kind is Kind.SEARCH:
        text += f" at {proxy.get('resolution')} px, width x{proxy.get('width')}"
        text += f"; finalists {pluralise(int(run.setting('finalist.epochs', 0)), 'epoch')} of all images"
    return text


def _seeds(run: RunData) -> str:
    parts = [f"{run.manifest['seed']} of the run"] if "seed" in run.manifest else []
    for study, frame in run.trials.items():
        seeds = sorted({int(value) for value in numbers(frame, "seed").dropna()})
        if 0 < len(seeds) <= MAX_SEEDS:
            parts.append(f"{', '.join(map(str, seeds))} of its {study} trainings")
        elif seeds:
            parts.append(f"{len(seeds)} of its {study} trainings, see their table")
    return "; ".join(parts)


def _short(commit: str) -> str:
    """A commit by its first 12 digits, as git takes it, and whether files had been edited."""
    name, edited, _ = commit.partition("+")
    return name[:12] + (edited and "+changes")


def _wall(run: RunData) -> float | None:
    spent = [_between(one.get("start"), one.get("end")) for one in _sessions(run)]
    known = [seconds for seconds in spent if seconds is not None]
    return sum(known) if known else None


def _between(start: object, end: object) -> float | None:
    try:
        return (datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))).total_seconds()
    except (ValueError, TypeError):
        return None


def _moment(text: object) -> str:
    try:
        return datetime.fromisoformat(str(text)).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return ""


def _sessions(run: RunData) -> list[Mapping[str, Any]]:
    found = run.manifest.get("sessions")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _session(run: RunData) -> Mapping[str, Any]:
    """The last session."""
    return (_sessions(run) or [{}])[-1]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

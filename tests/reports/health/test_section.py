"""Run health: accounts, warnings, timelines and their figures."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure as Canvas
from optuna.trial import TrialState, create_trial

from reports.health import figures
from reports.health import section as health
from reports.health.warnings import last_gain, warnings
from reports.page.content import Figure, Table
from reports.reading.effort import Effort, efforts
from reports.reading.runs import read_run
from reports.reading.timeline import Span, lay_out, timeline
from tests.texts import values


def axes(count: int = 1) -> Any:
    return np.ravel(Canvas().subplots(count, 1))


def account(**changes: Any) -> Effort:
    fields: dict[str, Any] = {
        "run": "r", "phase": "candidates", "outcomes": {"complete": 3, "pruned": 1}, "retries": 0, "repeats": 0,
        "seconds": (1.0, 2.0, 4.0, 8.0), "images": 1,
    }  # fmt: skip
    return Effort(**{**fields, **changes})


def test_trials_are_accounted_for(make_search: Any, make_trial: Any):
    trials = [
        make_trial(0), make_trial(1, "interrupted", seconds=0.0), make_trial(2, retry_of=1),
        make_trial(3, repeat_of=0, seconds=0.0), make_trial(4, "nan", reason="a loss was not finite", seconds=4.0),
    ]  # fmt: skip
    (one,) = efforts(read_run(make_search(rows=trials)))
    assert one.outcomes == {"complete": 3, "interrupted": 1, "nan": 1}
    assert (one.trials, one.retries, one.repeats, one.seconds) == (5, 1, 1, (36.0, 36.0, 4.0))
    (section,) = health.sections([read_run(make_search("again", rows=trials))])
    assert values(section.items[0]) == ["5", "3", "1", "1", "1", "1"]
    lost = next(item for item in section.items if isinstance(item, Table) and item.name == "not-finished")
    assert [(row["number"], row["outcome"], row["reason"]) for row in lost.rows] == [
        (1, "interrupted", ""), (4, "nan", "a loss was not finite"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"finalist": {"seeds": 1}}, ["--finalist.seeds"]),
        ({"finalist": {"seeds": 2}}, ["2", "--finalist.seeds"]),
        ({"trials": 64}, ["4", "64"]),
        # 1.037M FLOPs.
        ({"target_flops": "900K"}, ["15"]),
    ],
)
def test_warnings_about_a_search(make_search: Any, config: Any, expected: list[str]):
    assert expected in [values(line) for line in warnings(read_run(make_search(**config)))]


def test_a_good_run_has_no_warning(make_search: Any, make_trial: Any):
    finalists = [make_trial(number, accuracy_1=0.60, accuracy_2=0.61) for number in range(6)]
    assert warnings(read_run(make_search(finalists=finalists, finalist={"seeds": 3}))) == []


def test_accuracy_that_still_rises_means_undertrained(make_search: Any, make_trial: Any):
    # From 0.40 to 0.50, 0.51 and 0.53: 11 points in the median.
    run = read_run(make_search(finalist={"seeds": 3}))
    assert [values(line) for line in warnings(run)] == [["11.0"]]


def test_one_pass_leaves_it_open(make_search: Any, make_trial: Any):
    trials = [{key: value for key, value in make_trial(n).items() if key != "accuracy_2"} for n in range(4)]
    assert last_gain(pd.DataFrame(trials)) is None
    assert [values(line) for line in warnings(read_run(make_search(rows=trials, finalist={"seeds": 3})))] == [[]]


def test_failures_are_counted(make_search: Any, make_trial: Any):
    trials = [make_trial(0), make_trial(1, "out-of-memory"), make_trial(2, "error"), make_trial(3, "error")]
    line = warnings(read_run(make_search(rows=trials)))[-1]
    assert values(line) == ["3", "4", "1", "2"]
    assert re.search("candidates.*1 out-of-memory, 2 error", line)


@pytest.mark.parametrize(
    ("status", "named"), [("running", "running"), ("interrupted", "interrupted"), ("failed", "log.txt")]
)
def test_an_unfinished_run_is_warned_of(make_search: Any, status: str, named: str):
    assert named in warnings(read_run(make_search(status=status)))[0]


def test_trainings_lie_on_as_few_lanes_as_hold_them():
    line = lay_out("r", [Span(0, 10, "complete"), Span(1, 4, "complete"), Span(4, 10, "pruned")])
    assert [bar.lane for bar in line.bars] == [0, 1, 1]
    assert (line.lanes, line.length) == (2, 10)
    # 10 + 3 + 6 of 20 worker seconds.
    assert line.utilisation == pytest.approx(0.95)


def test_pauses_are_cut_out():
    line = lay_out("r", [Span(0, 10, "complete"), Span(1010, 1020, "complete")])
    assert line.pauses == [(10, 1000)]
    assert [bar.start for bar in line.bars] == [0, 10]
    assert line.utilisation == 1.0


def test_a_worker_that_never_had_work_counts():
    assert lay_out("r", [Span(0, 10, "complete")], workers=2).utilisation == 0.5


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.floats(1, 300)), min_size=1, max_size=30),
    st.integers(1, 4),
    st.integers(1, 40),
)
def test_the_shares_of_time_add_up_to_the_utilisation(spans: list[tuple[float, float]], workers: int, bins: int):
    line = lay_out("r", [Span(begun, begun + seconds, "complete") for begun, seconds in spans], workers)
    edges, busy = line.busy(bins)
    assert len(edges) == bins + 1
    assert edges[-1] == pytest.approx(line.length)
    # What overlaps on a lane, by no more than the clocks' slack, may count twice; in a full bin it counts once.
    slack = 0.5 * len(spans) / (line.lanes * line.length)
    assert abs(busy.mean() - line.utilisation) <= slack + 1e-6
    # Two trainings on a lane overlap by no more than the clocks' slack.
    for lane in range(line.lanes):
        mine = sorted((bar for bar in line.bars if bar.lane == lane), key=lambda bar: bar.start)
        assert all(b.start - (a.start + a.seconds) >= -0.5001 for a, b in pairwise(mine))


def test_times_come_from_the_ledger(make_search: Any):
    folder = make_search()
    study = optuna.create_study(storage=f"sqlite:///{folder / 'ledger.db'}", study_name="search", direction="maximize")
    begun = datetime(2026, 1, 2, 10)
    for seconds, more in ((60.0, {}), (30.0, {"repeat_of": 0}), (0.0, {"outcome": "interrupted"})):
        trial = create_trial(value=0.5, user_attrs={"seconds": seconds, "outcome": "complete", **more})
        trial.datetime_start, trial.datetime_complete = begun, begun + timedelta(seconds=70)
        study.add_trial(trial)
    study.add_trial(create_trial(state=TrialState.WAITING))
    line = timeline(read_run(folder))
    assert line is not None
    assert [(bar.start, bar.seconds, bar.outcome) for bar in line.bars] == [(0.0, 60.0, "complete")]


def test_a_missing_ledger_is_named(make_search: Any):
    (section,) = health.sections([read_run(make_search())])
    assert any("ledger.db" in line for line in section.missing)


def test_what_could_not_be_read_is_named(make_search: Any):
    folder: Path = make_search()
    (folder / "trials.csv").write_text("number,outc")
    (section,) = health.sections([read_run(folder)])
    assert any("trials.csv" in line for line in section.missing)
    assert len(section.items) == 1


def test_the_outcomes_figure_has_a_bar_for_each_share():
    (ax,) = axes()
    figures.outcomes([account(), account(phase="finalists", outcomes={"complete": 2})], ax)
    widths = [round(bar.get_width(), 6) for bars in ax.containers for bar in bars]
    assert widths == [0.75, 1.0, 0.25, 0.0]
    assert [text.get_text() for text in ax.texts] == ["3", "2", "1"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["complete", "pruned"]


def test_each_outcome_has_a_colour_and_a_hatch_of_its_own():
    looks = list(figures.OUTCOMES.values())
    assert len({color for color, _ in looks}) == len({hatch for _, hatch in looks}) == len(looks)


def test_the_seconds_figure_has_a_dot_a_training_and_the_median():
    (ax,) = axes()
    figures.seconds([account(run="cost $5 or $6")], ax)
    assert sorted(ax.collections[0].get_offsets()[:, 0]) == [1.0, 2.0, 4.0, 8.0]
    assert ax.lines[0].get_xdata() == pytest.approx([3.0, 3.0])
    assert ax.get_xscale() == "linear"
    assert ax.get_yticklabels()[0].get_text() == "cost \\$5 or \\$6: candidates\n4 trainings"


def test_times_of_very_different_length_are_on_a_log_axis():
    (ax,) = axes()
    figures.seconds([account(seconds=(0.5, 100.0))], ax)
    assert ax.get_xscale() == "log"


def test_the_utilisation_figure_has_the_bars_and_the_share():
    upper, lower = axes(2)
    line = lay_out("r", [Span(0, 10, "complete"), Span(0, 5, "pruned"), Span(2000, 2010, "complete")])
    figures.utilisation(line, (upper, lower))
    assert sum(len(collection.get_paths()) for collection in upper.collections) == 3
    assert [text.get_text() for text in upper.get_yticklabels()] == ["worker 1", "worker 2"]
    assert upper.get_xlim() == lower.get_xlim() == (0, 20)
    assert "seconds" in lower.get_xlabel()
    assert len(lower.lines) == 1


def test_every_figure_of_the_section_says_the_same_in_words(make_search: Any):
    (section,) = health.sections([read_run(make_search())])
    drawn = [item for item in section.items if isinstance(item, Figure)]
    assert [figure.name for figure in drawn] == ["health-outcomes", "health-seconds"]
    assert "3 complete, 1 pruned" in drawn[0].alt
    assert "36 s" in drawn[1].caption

"""The report of a search: one whole text, and the wording of the gain per doubling."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from nas.controls.control import Controls
from nas.search.analysis import SearchResult
from nas.search.config import ObjectiveConfig, SearchConfig
from nas.search.gains import judge_all
from nas.search.report import gain_per_doubling, report
from nas.search.run import SearchRun, describe_best
from studies.outcome import Outcome
from studies.statistics.intervals import Estimate
from tests.nas.search.records import control, trained

GAIN = Estimate(0.021, -0.004, 0.047, 36)


def test_the_report_of_a_search():
    config, folder = SearchConfig(target_flops="300M"), Path("runs/x")
    run: Any = SimpleNamespace(folder=folder, path=folder.joinpath)
    nothing = cast("Any", None)
    spent = {"macs": 295_600_000}
    records = [*trained(0, [0.80, 0.81, 0.82], metrics=spent), *trained(1, [0.80, 0.80, 0.82], metrics=spent)]
    records = [replace(one, phase="finalist") for one in records]
    beside = [*trained(2, [0.79, 0.78, 0.80], metrics=spent), *trained(3, [0.70, 0.71, 0.73], metrics=spent)]
    records += [replace(one, phase="control") for one in beside]
    controls = Controls((control(2, "mobilenet_v2"), control(3, "random 1", is_random=True)), {"resnet18": "too large"})
    judged = judge_all(records, controls, config.objective_function)
    assert judged is not None
    result = SearchResult(
        SearchRun(config, nothing, run, Console(quiet=True), nothing, nothing, controls),
        *judged,
        test=Estimate(0.79, 0.77, 0.81, 3),
        gain=Estimate(0.021, -0.004, 0.047, 36),
        edge="upper",
        outcomes=Counter({Outcome.PRUNED: 28, Outcome.COMPLETE: 36}),
        trained=63,
        fvcore=123_456_789,
    )
    assert report(result) + "\n" == (Path(__file__).parent / "report.txt").read_text()


@pytest.mark.parametrize(
    ("objective", "assumes"),
    # 2^0.07 - 1 = 4.97 %
    [("soft", "; the reward assumes +5 %"), ("hard", ""), ("accuracy", ""), ("training-aware", "")],
)
def test_the_gain_per_doubling_stands_beside_what_the_exponent_assumes(objective: str, assumes: str):
    text = gain_per_doubling(GAIN, SearchConfig(objective=ObjectiveConfig(objective)))
    assert text == f"+2.1 % (95 % CI -0.4 to +4.7){assumes}"


@pytest.mark.parametrize("estimate", [None, Estimate(0.2, -1.0, math.inf, 2), Estimate(0.2, -0.9, 123.0, 4)])
def test_an_unknown_gain_is_not_printed(estimate: Estimate | None):
    assert gain_per_doubling(estimate, SearchConfig()).startswith("unknown")


def test_the_best_trial_in_a_few_words():
    assert describe_best(0.75, 0.76, "385.8M FLOPs") == "best reward 0.7500 (proxy accuracy 76.0%, 385.8M FLOPs)"

"""What the report says of uncertain things."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from nas.search import report
from nas.search.config import SearchConfig
from nas.search.run import describe_best
from studies.statistics.intervals import Estimate


def gain(estimate: Estimate | None, objective: str = "soft") -> str:
    """The report's line on the worth of cost, for a gain per doubling."""
    result = SimpleNamespace(gain=estimate, session=SimpleNamespace(config=SearchConfig(objective=objective)))
    return report._gain(result)  # type: ignore[arg-type]


def test_a_gain_stands_beside_what_the_exponent_assumes():
    # 2^0.07 - 1 = 4.97 %
    assert gain(Estimate(0.021, -0.004, 0.047, 36)) == (
        "a doubling gains +2.1 % accuracy here (95 %: -0.4 to +4.7), where w = -0.07 assumes +5 %"
    )


@pytest.mark.parametrize("objective", ["hard", "accuracy", "training-aware"])
def test_rewards_that_do_not_weigh_multiply_adds_by_w_assume_nothing(objective: str):
    assert gain(Estimate(0.021, -0.004, 0.047, 36), objective).endswith("(95 %: -0.4 to +4.7)")


@pytest.mark.parametrize("estimate", [None, Estimate(0.2, -1.0, math.inf, 2), Estimate(0.2, -0.9, 123.0, 4)])
def test_a_gain_nobody_knows_is_not_printed(estimate: Estimate | None):
    assert gain(estimate).startswith("not known")


def test_it_ends_by_naming_the_command_that_makes_a_report(tmp_path: Path):
    run = SimpleNamespace(folder=tmp_path, path=tmp_path.joinpath)
    result = SimpleNamespace(session=SimpleNamespace(run=run, storage=f"sqlite:///{tmp_path}/ledger.db"))
    last = report._files(result).splitlines()[-1]  # type: ignore[arg-type]
    assert last.split(maxsplit=1)[1].startswith(f"python -m reports.build {tmp_path} ")


def test_the_best_trial_in_a_few_words():
    assert describe_best(0.75, 0.76, 385_814_752) == "best reward 0.7500 (proxy accuracy 76.0%, 385.8M FLOPs)"

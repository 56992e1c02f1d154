"""Which finalist wins, which are not significantly different from it, and what cost gains."""

from __future__ import annotations

import pytest

from nas.search import analysis, ranking
from studies.outcome import Outcome
from tests.nas.search.records import ACCURACY, ARCHS, record, trained


def test_the_winner_has_the_highest_mean_not_the_luckiest_seed():
    steady, lucky = trained(0, [0.80, 0.80, 0.80]), trained(1, [0.70, 0.70, 0.95])
    verdict = ranking.judge([*lucky, *steady], ACCURACY)
    assert verdict is not None
    assert verdict.winner.record.key == ARCHS[0].key
    assert verdict.equals == (ARCHS[1].key,)


def test_a_clear_loser_is_told_from_the_winner():
    best, near, far = trained(0, [0.80, 0.81, 0.82]), trained(1, [0.80, 0.80, 0.82]), trained(2, [0.50, 0.51, 0.52])
    verdict = ranking.judge([*far, *best, *near], ACCURACY)
    assert verdict is not None
    assert verdict.equals == (ARCHS[1].key,)


def test_what_seeds_do_to_all_alike_does_not_hide_a_difference():
    # Every seed moves both by the same: the blocked differences are exactly 0.02 up to 0.001.
    best, other = trained(0, [0.82, 0.72, 0.92]), trained(1, [0.80, 0.701, 0.899])
    verdict = ranking.judge([*best, *other], ACCURACY)
    assert verdict is not None
    assert verdict.equals == ()


def test_one_seed_tells_nothing():
    verdict = ranking.judge([*trained(0, [0.8]), *trained(1, [0.2])], ACCURACY)
    assert verdict is not None
    assert verdict.equals is None


def test_failures_alone_leave_no_verdict():
    assert ranking.judge([record(0, [], Outcome.NAN)], ACCURACY) is None


def test_gain_per_doubling_uses_every_first_rung():
    # Accuracy 0.5 * 1.05^log2(macs / 400): 5 % a doubling by construction; the later rung must not matter.
    records = [record(i, [0.5 * 1.05**i, 0.9], metrics={"macs": 400 * 2**i}) for i in range(4)]
    gain = analysis.gain_of_doubling(records, "macs")
    assert gain is not None
    assert gain.value == pytest.approx(0.05)
    assert analysis.gain_of_doubling(records[:2], "macs") is None


@pytest.mark.parametrize(("macs", "end"), [(320, "lower"), (322, "lower"), (370, ""), (418, "upper"), (420, "upper")])
def test_the_bands_ends_are_noticed(macs: int, end: str):
    assert analysis.at_edge(macs, (320, 420)) == end

"""Which candidates become finalists, and with which seeds."""

from __future__ import annotations

import search_spaces as ss
from nas.objectives.registry import make_objective
from nas.objectives.rewards import Aim
from nas.search import finalists
from nas.search.config import FinalistConfig, SearchConfig
from studies.outcome import Outcome
from tests.nas.search.records import ACCURACY, ARCHS, control, record


def test_finalists_are_the_best_that_were_trained_to_the_end():
    records = [
        record(0, [0.5, 0.7]),
        record(1, [0.9], Outcome.PRUNED),
        record(2, [0.5, 0.8]),
        record(3, [0.5, 0.6]),
        record(6, [0.5, 0.8], repeat_of=2),
    ]
    assert [r.number for r in finalists.choose(records, ACCURACY, 2)] == [2, 0]


def test_posterior_means_rank_before_measurements():
    lucky, steady, other, unknown = (record(n, [value]) for n, value in enumerate((0.9, 0.8, 0.7, 0.72)))
    posterior_means = {lucky.key: 0.65, steady.key: 0.79, other.key: 0.75}
    records = [lucky, steady, other, unknown]
    assert finalists.choose(records, ACCURACY, 3, posterior_means) == [steady, other, unknown]
    assert finalists.choose(records, ACCURACY, 3) == [lucky, steady, unknown]


def test_cost_counts_in_the_choice():
    cheap, dear = record(0, [0.80], metrics={"macs": 200}), record(1, [0.81], metrics={"macs": 800})
    assert finalists.choose([cheap, dear], make_objective("soft", Aim(400)), 1) == [cheap]
    assert finalists.choose([cheap, dear], ACCURACY, 1) == [dear]


def test_each_finalist_gets_the_same_seeds_block_by_block():
    # As in docs/reference/search/finalists.csv, where the search's seed 0 gives 1000 and 1001.
    wanted = finalists.proposals(
        [record(0, [0.7]), record(1, [0.6])], [], SearchConfig(finalist=FinalistConfig(seeds=3), seed=5)
    )
    assert [(p.key, p.seed) for p in wanted] == [(ARCHS[i].key, 1005 + block) for block in range(3) for i in (0, 1)]


def test_controls_are_trained_with_the_finalists_seeds_in_a_phase_of_their_own():
    # The second control is the finalist, which is trained once.
    controls = [control(2), control(0)]
    wanted = finalists.proposals([record(0, [0.7])], controls, SearchConfig(finalist=FinalistConfig(seeds=2), seed=5))
    expected = [(phase, ARCHS[i].key, seed) for seed in (1005, 1006) for phase, i in (("finalist", 0), ("control", 2))]
    assert [(p.phase, p.key, p.seed) for p in wanted] == expected
    assert wanted[1].metrics["macs"] == ss.cost(ARCHS[2]).macs

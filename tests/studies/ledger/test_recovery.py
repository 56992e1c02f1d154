"""Drivers of one ledger that die, close or live on: who owns its trials, and who takes them over."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from studies.ledger.ledger import Ledger
from studies.ledger.owner import Owner
from studies.ledger.storage import sqlite_url
from studies.ledger.trial import Proposal
from studies.machine import host_name
from studies.outcome import Ending, Outcome

TRIAL = Proposal({"kernel": 3}, "net", "{}", {"macs": 10, "params": 20, "activations": 30})
Driver = Callable[..., Ledger]


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    """Opens the ledger, always the same one."""
    return partial(Ledger.open, sqlite_url(tmp_path / "ledger.db"), "search", {"kernel": (3, 5)})


def test_closing_leaves_nothing_running(driver: Driver) -> None:
    with driver() as ledger:
        ledger.begin(TRIAL)
    with driver() as ledger:
        first, again = ledger.records()
        assert (first.outcome, first.reason) == (Outcome.INTERRUPTED, "the driver ended")
        assert again.state == TrialState.WAITING
        assert (again.retry_of, again.seed, again.choice, again.proposal_index) == (
            0,
            first.seed,
            first.choice,
            first.proposal_index,
        )
        assert (again.metrics, again.key, again.arch) == (TRIAL.metrics, TRIAL.key, TRIAL.arch)
        claimed = ledger.claim("candidate")
        assert claimed is not None
        assert claimed.number == 1
        assert ledger.claim("candidate") is None
        assert ledger.index.next_proposal_index("candidate") == 1


def abandon(ledger: Ledger, **owner: Any) -> int:
    """Begin a trial and make it look as if another driver had; forget it here."""
    number = ledger.begin(TRIAL).number
    ledger._writer.set(number, owner={**ledger.records()[number].owner, "id": "feedbeef", **owner})
    ledger._writer.forget(number)
    return number


def lease_of(ledger: Ledger, until: float | None, **owner: Any) -> None:
    here = Owner.here()
    fields = {"host": here.host, "pid": here.pid, "started": here.started, "until": until, **owner}
    ledger.study.set_user_attr("driver:feedbeef", fields)


@pytest.mark.parametrize(
    ("owner", "until", "lost"),
    [
        ({"pid": 2**22 + 1}, 2e9 * 2, True),  # no such process on this machine, whatever its lease says
        ({"started": 1.0}, 2e9 * 2, True),  # the number belongs to another process by now
        ({}, 2e9 * 2, False),  # this very process, under another id: alive
        ({"host": "elsewhere"}, 2e9 * 2, False),  # another machine, lease running
        ({"host": "elsewhere"}, 1.0, True),  # another machine, lease run out
        ({"host": "elsewhere"}, None, True),  # another machine, lease given back
    ],
)
def test_only_the_dead_lose_their_trials(
    driver: Driver, owner: dict[str, Any], until: float | None, lost: bool
) -> None:
    with driver() as ledger:
        lease_of(ledger, until, **owner)
        number = abandon(ledger, **owner)
    with driver() as ledger:
        record = ledger.records()[number]
        assert (record.outcome is Outcome.INTERRUPTED) == lost
        assert len(ledger.records()) == (2 if lost else 1)
        if lost:
            assert "is gone" in record.reason


def test_a_driver_that_died_before_queueing_again(driver: Driver) -> None:
    with driver() as ledger:
        number = abandon(ledger, pid=2**22 + 1)
        ledger._writer.set(number, outcome="interrupted")
        ledger._writer.tell(number, TrialState.FAIL)
    with driver() as ledger:
        assert [record.retry_of for record in ledger.records()] == [None, 0]
    with driver() as ledger:
        assert len(ledger.records()) == 2


def test_a_trial_is_claimed_once(driver: Driver) -> None:
    with driver() as ledger:
        ledger.begin(TRIAL)
    with driver() as one, driver() as two:
        claims = [one.claim("candidate"), two.claim("candidate")]
        assert [claim is None for claim in claims] == [False, True]


def test_a_result_for_a_trial_taken_over_is_dropped(driver: Driver) -> None:
    with driver() as slow, driver() as other:
        number = slow.begin(TRIAL).number
        other.interrupt(number, "it seemed dead")
        assert slow.report(number, {"step": 1, "accuracy": 0.5}, 0.5) is True
        slow.finish(number, Ending(Outcome.COMPLETE), [0.5])
        assert slow.records()[number].outcome is Outcome.INTERRUPTED


def test_two_drivers_draw_differently_one_alone_always_the_same(driver: Driver) -> None:
    with driver(seed=5) as one:
        assert one.seed_sequence(7) == (5, 7)
        with driver(seed=5) as two:
            assert one.seed_sequence(7) != two.seed_sequence(7) != (5, 7)
        assert one.seed_sequence(7) == (5, 7)


def test_owner_survives_json() -> None:
    owner = Owner.here()
    assert Owner.of(json.loads(json.dumps(owner.as_dict()))) == owner
    assert owner.host == host_name()
    assert owner.is_alive(1e12)

"""The ledger as a source of jobs: plans, repeats, followers, endings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from optuna.trial import TrialState

from studies.ledger.ledger import Ledger
from studies.ledger.trial import Proposal
from studies.outcome import Ending, Outcome
from studies.workers.local import execute_in_process
from studies.workers.queue import Draws, Fixed, TrialQueue

CHOICES = {"width": (1, 2, 3)}


def network(width: int, **changes: Any) -> Proposal:
    return Proposal({"width": width}, f"net{width}", "{}", metrics={"macs": width}, **changes)


def in_turn(*widths: int) -> Any:
    """Draws these widths; nothing after the last."""
    return lambda number, entropy: network(widths[number]) if number < len(widths) else None


def jobs_of(ledger: Ledger, plan: Any, **options: Any) -> TrialQueue:
    return TrialQueue(ledger, plan, lambda record, rung: rung["accuracy"], **options)


def train(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"step": 1, "accuracy": job["choice"]["width"] / 10}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(None, "search", CHOICES) as opened:
        yield opened


def end(jobs: TrialQueue, job: dict[str, Any], outcome: Outcome = Outcome.COMPLETE) -> None:
    jobs.report(job["id"], {"step": 1, "accuracy": 0.5})
    jobs.finish(job["id"], Ending(outcome))


def test_each_network_is_trained_once(ledger: Ledger) -> None:
    usage = execute_in_process(jobs_of(ledger, Draws(5, in_turn(1, 2, 1, 1, 3))), train)
    assert usage.jobs == 3
    assert [(r.repeat_of, r.values) for r in ledger.records()] == [
        (None, (0.1,)),
        (None, (0.2,)),
        (0, (0.1,)),
        (0, (0.1,)),
        (None, (0.3,)),
    ]


def test_a_repeat_of_a_running_network_waits_for_its_result(ledger: Ledger) -> None:
    jobs = jobs_of(ledger, Draws(3, in_turn(1, 1, 2)))
    first, other = jobs.next_job(), jobs.next_job()
    assert first is not None
    assert other is not None
    assert (first["choice"], other["choice"]) == ({"width": 1}, {"width": 2})
    assert ledger.records()[1].state == TrialState.RUNNING
    end(jobs, first)
    end(jobs, other)
    assert not jobs.is_finished()
    assert jobs.next_job() is None
    assert jobs.is_finished()
    assert (ledger.records()[1].repeat_of, ledger.records()[1].values) == (0, (0.5,))


def test_a_follower_gets_its_turn_if_the_first_fails(ledger: Ledger) -> None:
    jobs = jobs_of(ledger, Draws(3, in_turn(1, 1, 1)))
    first = jobs.next_job()
    assert first is not None
    assert jobs.next_job() is None
    jobs.finish(first["id"], Ending(Outcome.ERROR, "its worker died"))
    second = jobs.next_job()
    assert second is not None
    assert second["id"] == 1
    assert jobs.next_job() is None
    end(jobs, second)
    assert jobs.next_job() is None
    assert jobs.is_finished()
    assert [record.repeat_of for record in ledger.records()] == [None, None, 1]


def test_a_given_list_has_several_phases(ledger: Ledger) -> None:
    wanted = [network(1, phase="finalist", seed=7), network(2, phase="control", seed=7)]
    jobs = jobs_of(ledger, Fixed(wanted))
    first, second = jobs.next_job(), jobs.next_job()
    assert first is not None
    assert second is not None
    # The trial of the second phase is interrupted, and another driver finds it waiting.
    end(jobs, first)
    jobs.finish(second["id"], Ending(Outcome.INTERRUPTED, "Ctrl-C"))
    assert execute_in_process(jobs_of(ledger, Fixed(wanted)), train).jobs == 1
    done = [(r.phase, r.seed, r.retry_of) for r in ledger.records() if r.outcome is Outcome.COMPLETE]
    assert done == [("finalist", 7, None), ("control", 7, 1)]


def test_a_space_that_runs_dry_ends_the_search(ledger: Ledger) -> None:
    execute_in_process(jobs_of(ledger, Draws(10, in_turn(1, 2))), train)
    assert len(ledger.records()) == 2


def test_a_given_list_is_done_once(ledger: Ledger) -> None:
    finalists = [network(width, phase="finalist", seed=seed) for width in (1, 2) for seed in (7, 8)]
    execute_in_process(jobs_of(ledger, Draws(1, in_turn(1))), train)
    assert execute_in_process(jobs_of(ledger, Fixed(finalists[:2])), train).jobs == 2
    assert execute_in_process(jobs_of(ledger, Fixed(finalists)), train).jobs == 2
    assert execute_in_process(jobs_of(ledger, Fixed(finalists)), train).jobs == 0
    assert [(r.phase, r.seed, r.replicate) for r in ledger.records()[1:]] == [
        ("finalist", 7, True),
        ("finalist", 8, True),
        ("finalist", 7, True),
        ("finalist", 8, True),
    ]


def test_interrupted_trials_are_run_again_first(ledger: Ledger) -> None:
    jobs = jobs_of(ledger, Draws(2, in_turn(1, 2)))
    first = jobs.next_job()
    assert first is not None
    jobs.finish(first["id"], Ending(Outcome.INTERRUPTED, "Ctrl-C"))
    again = jobs.next_job()
    assert again is not None
    assert (again["choice"], again["seed"], again["id"]) == (first["choice"], first["seed"], 1)


@pytest.mark.parametrize(
    ("rungs", "outcome", "reason"),
    [([], Outcome.ERROR, "the evaluation yielded nothing"), ([0.0], Outcome.NAN, "the objective is not a number")],
)
def test_completing_without_a_value_is_not_complete(
    ledger: Ledger, rungs: list[float], outcome: Outcome, reason: str
) -> None:
    def evaluate(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return iter([{"step": 1, "accuracy": value} for value in rungs])

    execute_in_process(TrialQueue(ledger, Draws(1, in_turn(1)), lambda record, rung: float("nan")), evaluate)
    (record,) = ledger.records()
    assert (record.outcome, record.reason) == (outcome, reason)


def test_jobs_carry_what_a_worker_needs(ledger: Ledger) -> None:
    events = []
    jobs = jobs_of(
        ledger,
        Draws(1, in_turn(2)),
        payload={"dataset": "fashion-mnist-mini"},
        watch=lambda event, record: events.append((event, record.number, record.outcome)),
    )
    job = jobs.next_job()
    assert job is not None
    assert job == {
        "id": 0,
        "phase": "candidate",
        "arch": "{}",
        "seed": ledger.records()[0].seed,
        "choice": {"width": 2},
        "notes": {},
        "dataset": "fashion-mnist-mini",
    }
    end(jobs, job)
    assert events == [("begin", 0, None), ("rung", 0, None), ("end", 0, Outcome.COMPLETE)]

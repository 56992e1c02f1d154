"""Executing without starting Ray: jobs in a worker, the adapter to Tune. (With Ray: test_faults.py.)"""

from __future__ import annotations

import json
import os
import signal
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from studies.outcome import Ending, InfeasibleError, Outcome, classify, describe_error
from studies.workers import worker
from studies.workers.config import WorkersConfig
from studies.workers.interrupts import Interrupts
from studies.workers.local import execute_in_process
from studies.workers.pool import WorkerPool
from studies.workers.tune_adapter import SourceError, TuneAdapter
from studies.workers.worker import JobRun, ending_from_dict, ending_to_dict
from tests.studies.workers.listed import Listed


class OutOfMemoryError(RuntimeError):
    """Named as torch's own."""


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (InfeasibleError("x"), Outcome.INFEASIBLE),
        (FloatingPointError("overflow"), Outcome.NAN),
        (MemoryError(), Outcome.OUT_OF_MEMORY),
        (OutOfMemoryError("x"), Outcome.OUT_OF_MEMORY),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:115] DefaultCPUAllocator: can't allocate memory"),
            Outcome.OUT_OF_MEMORY,
        ),
        (OSError(12, "Cannot allocate memory"), Outcome.OUT_OF_MEMORY),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), Outcome.ERROR),
        (KeyError("x"), Outcome.ERROR),
    ],
)
def test_exceptions_are_outcomes(error: Exception, outcome: Outcome) -> None:
    assert classify(error) is outcome


def test_reasons_are_one_short_line() -> None:
    try:
        raise ValueError("first\nsecond" + "x" * 1000)
    except ValueError as error:
        text = describe_error(error)
    assert text.startswith("ValueError: first (test_ray_tune.py:")
    assert len(describe_error(ValueError("y" * 1000))) == 300


def run_all(evaluate: Any) -> tuple[list[Any], Ending]:
    run, rungs = JobRun(evaluate, {"id": 1}), []
    while True:
        rung, ending = run.advance()
        if ending is not None:
            return rungs, ending
        rungs.append(rung)


@pytest.mark.parametrize(
    ("rungs", "kept", "outcome"),
    [
        ([{"step": 1, "accuracy": 0.5}], 1, Outcome.COMPLETE),
        ([{"step": 1, "accuracy": 0.5}, {"step": 2, "accuracy": float("nan")}], 1, Outcome.NAN),
        ([{"step": 1, "accuracy": 0.1, "loss": float("inf")}], 0, Outcome.NAN),
        ([{"step": 1, "accuracy": 0.1, "outcome": "nan", "reason": "loss at batch 3"}], 0, Outcome.NAN),
        ([{"step": 1, "accuracy": 0.1, "outcome": "complete"}], 1, Outcome.COMPLETE),
    ],
)
def test_rungs_are_checked(rungs: list[dict[str, Any]], kept: int, outcome: Outcome) -> None:
    seen, ending = run_all(lambda job: iter(rungs))
    assert (len(seen), ending.outcome) == (kept, outcome)


def test_exceptions_become_endings_with_a_traceback() -> None:
    def evaluate(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"step": 1, "accuracy": 0.5}
        raise KeyError("lost")

    rungs, ending = run_all(evaluate)
    assert len(rungs) == 1
    assert ending.outcome is Outcome.ERROR
    assert ending.reason.startswith("KeyError: 'lost' (test_ray_tune.py:")
    assert 'raise KeyError("lost")' in ending.traceback
    assert ending_from_dict(json.loads(json.dumps(ending_to_dict(ending)))) == ending


def test_memory_is_freed_once_a_failed_evaluation_holds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the exception holds its frames, and with them every tensor of the candidate that failed."""

    class Tensor: ...

    held, freed = [], []

    def evaluate(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        yield {"step": 1, "accuracy": 0.5}
        raise MemoryError

    monkeypatch.setattr(worker, "_free_memory", lambda: freed.append(held[0]() is None))
    assert run_all(evaluate)[1].outcome is Outcome.OUT_OF_MEMORY
    assert freed == [True]


def test_an_evaluation_that_is_no_generator_is_an_error() -> None:
    _, ending = run_all(lambda job: None)
    assert ending.outcome is Outcome.ERROR


def test_an_abandoned_job_cleans_up() -> None:
    cleaned = []

    def evaluate(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        try:
            yield {"step": 1, "accuracy": 0.5}
            yield {"step": 2, "accuracy": 0.6}
        finally:
            cleaned.append(job["id"])

    run = JobRun(evaluate, {"id": 7})
    run.advance()
    run.close()
    assert cleaned == [7]


def two_rungs(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"step": 1, "accuracy": 0.5}
    yield {"step": 2, "accuracy": 0.6}


def test_executing_here() -> None:
    source = Listed(2)
    usage = execute_in_process(source, two_rungs)
    assert source.steps == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert [ending.outcome for ending in source.ended.values()] == [Outcome.COMPLETE] * 2
    assert usage.jobs == 2
    stopped = Listed(1, stop_at=1)
    execute_in_process(stopped, two_rungs)
    assert (stopped.steps, stopped.ended[0].outcome) == ([(0, 1)], Outcome.PRUNED)


def test_executing_here_ends_with_its_time_budget() -> None:
    source = Listed(2)
    assert execute_in_process(source, two_rungs, time_budget=1e-9).jobs == 0
    assert source.waiting == [0, 1]


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_a_time_budget_is_more_than_nothing(seconds: float) -> None:
    source = Listed(1)
    with pytest.raises(ValueError, match="--time-budget"):
        WorkerPool(WorkersConfig(number=0)).run(source, two_rungs, time_budget=seconds)
    assert source.waiting == [0]


def test_executing_here_hides_gpus_that_were_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def evaluate(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        seen.append((os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ["OMP_NUM_THREADS"]))
        yield {"step": 1, "accuracy": 0.5}

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for before in ("0", None):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before) if before else monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        for gpus in (None, 0):
            execute_in_process(Listed(1), evaluate, workers=WorkersConfig(number=0, gpus_per_trial=gpus))
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == before
    assert seen == [("0", "1"), ("", "1"), (None, "1"), ("", "1")]


def test_an_interrupt_here_gives_the_job_back() -> None:
    def evaluate(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"step": 1, "accuracy": 0.5}
        raise KeyboardInterrupt

    source = Listed(2)
    with pytest.raises(KeyboardInterrupt):
        execute_in_process(source, evaluate)
    assert {job: ending.outcome for job, ending in source.ended.items()} == {0: Outcome.INTERRUPTED}


def adapter_for(source: Any, time_budget: float | None = None) -> TuneAdapter:
    return TuneAdapter(source, 2, Interrupts(), time_budget)


def rung_result(step: int, seconds: float) -> dict[str, Any]:
    rung = json.dumps({"step": step, "accuracy": 0.5})
    return {"rung": rung, "seconds": seconds, "hostname": "h", "pid": 3}


def test_the_adapter_hands_out_no_more_than_there_are_workers() -> None:
    adapter = adapter_for(Listed(3))
    assert [adapter.begin(name) is None for name in "abc"] == [False, False, True]
    assert not adapter.finished
    adapter.end("a", {"ending": json.dumps(ending_to_dict(Ending(Outcome.COMPLETE, seconds=2.0)))}, error=False)
    assert adapter.begin("c") == {"id": 2}
    adapter.end("b", None, error=True)
    adapter.end("c", None, error=True)
    assert adapter.begin("d") is None
    assert adapter.finished


def test_the_adapter_knows_stopped_from_dead() -> None:
    source = Listed(3, stop_at=2)
    adapter = adapter_for(source)
    for name in "ab":
        adapter.begin(name)
    assert [adapter.rung("a", rung_result(step, step * 1.0)) for step in (1, 2)] == [False, True]
    adapter.end("a", rung_result(2, 2.0), error=False)
    adapter.failed("b", "The actor died")
    adapter.end("b", None, error=True)
    adapter.begin("c")
    adapter.failed("c", "Task was killed due to the node running low on memory.")
    adapter.end("c", None, error=True)
    assert source.ended[0] == Ending(Outcome.PRUNED, "stopped early after step 2", 2.0, "h:3")
    assert source.ended[1] == Ending(Outcome.ERROR, "its worker failed once: The actor died")
    assert source.ended[2].outcome is Outcome.OUT_OF_MEMORY


def test_after_the_time_budget_nothing_begins() -> None:
    adapter = adapter_for(Listed(3), time_budget=1e-9)
    assert adapter.begin("a") is None
    assert adapter.finished


def test_what_is_under_way_is_given_back() -> None:
    source = Listed(3)
    adapter = adapter_for(source)
    adapter.begin("a")
    adapter.give_back()
    assert source.ended[0].outcome is Outcome.INTERRUPTED


def test_a_failing_source_gets_through() -> None:
    class Broken(Listed):
        def next_job(self) -> None:
            raise LookupError("no draw")

    with pytest.raises(SourceError) as caught:
        adapter_for(Broken(1)).begin("a")
    assert isinstance(caught.value.error, LookupError)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_the_second_insists(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupts() as interrupts:
        adapter = TuneAdapter(Listed(1), 1, interrupts)
        adapter.check()
        signal.raise_signal(number)
        with pytest.raises(SourceError) as caught:
            adapter.check()
        assert isinstance(caught.value.error, KeyboardInterrupt)
        assert interrupts.reason == f"interrupted by {number.name}"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_nothing_is_started_for_gpus_that_are_not_there() -> None:
    pytest.importorskip("ray")
    import ray

    from studies.workers.ray_cluster import gpus_here

    source = Listed(1)
    with pytest.raises(ValueError, match="--gpus-per-trial"):
        WorkerPool(WorkersConfig(gpus_per_trial=gpus_here() + 1)).run(source, two_rungs)
    with pytest.raises(ValueError, match="--ray-address 127"):
        WorkerPool(WorkersConfig(ray_address="127.0.0.1:9")).run(source, two_rungs)
    assert not ray.is_initialized()
    assert source.waiting == [0]

"""A phase of an experiment: wanted trials trained on the workers, shown while they run, written to the ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from studies.ledger.frame import write_csv
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.workers.progress import Progress
from studies.workers.protocol import Evaluate
from studies.workers.queue import Score, TrialPlan, TrialQueue
from studies.workers.ray_tune import execute
from studies.workers.resources import Execution
from studies.workers.tensorboard import FOLDER, TensorBoardLogger
from studies.workers.training_job import Training, evaluate

_log = logging.getLogger(__name__)
DescribeBest = Callable[[Record, float], tuple[float, str]]
"""From a complete trial and its accuracy: by what the best is chosen (higher is better), and how it is described."""


@dataclass(frozen=True)
class TrialBatch:
    """Trials that are wanted and how they are trained.

    title     what is going on, for people ("search", "finalists")
    total     how many trials are wanted
    plan      which ones
    training  how they are trained
    score     the objective at a rung
    praise    describes the best so far
    table     CSV file of all the ledger's trials, written at the end
    counts    which of the ledger's trials are among the wanted ones; all unless given
    work      what a worker does with a job; it trains the network unless given
    """

    title: str
    total: int
    plan: TrialPlan
    training: Training
    score: Score
    praise: DescribeBest
    table: Path
    counts: Callable[[Record], bool] = lambda _: True
    work: Evaluate | None = None


def run_trials(
    phase: TrialBatch, ledger: Ledger, execution: Execution, console: Console, workers: int | None = None
) -> list[Record]:
    """Train what the ledger does not have yet. Returns all its trials, those of earlier sessions included."""
    done = min(phase.total, sum(record.is_final and phase.counts(record) for record in ledger.records()))
    folder = phase.table.parent / FOLDER / phase.title
    logs: AbstractContextManager[TensorBoardLogger | None] = (
        TensorBoardLogger(folder) if execution.tensorboard else nullcontext()
    )
    with Progress(console, phase.title, phase.total, workers, done) as progress, logs as board:
        watch = _Watch(ledger, phase, progress, board)
        jobs = TrialQueue(ledger, phase.plan, phase.score, payload=phase.training.payload(), watch=watch)
        if not jobs.is_finished():
            usage = execute(jobs, phase.work or evaluate, execution=execution)
            _log.info(
                "%s: %d trials, %.1f %% of worker time spent training, first trial after %.0f s, then %.0f s",
                *(phase.title, usage.jobs, 100 * usage.utilisation, usage.startup, usage.wall),
            )
    for record in ledger.records():
        # A worker of a killed driver may have written one after its trial was run again.
        phase.training.discard(record)
    write_csv(ledger, phase.table)
    return ledger.records()


class _Watch:
    """Told of every change of a trial: shows it, logs it, and removes checkpoints that are of no use any more."""

    def __init__(self, ledger: Ledger, phase: TrialBatch, progress: Progress, board: TensorBoardLogger | None) -> None:
        self._phase, self._progress, self._board = phase, progress, board
        self._seen: dict[int, int] = {}
        self._best: tuple[float, str] = (float("-inf"), "")
        for record in ledger.records():
            self._consider(record)
        progress.best = self._best[1]

    def __call__(self, event: str, record: Record) -> None:
        if self._board is not None:
            self._board(event, record)
        if event == "begin":
            self._progress.begun()
        elif event == "rung":
            images = record.rungs[-1].get("images", 0)
            self._progress.trained(images - self._seen.get(record.number, 0))
            self._seen[record.number] = images
        elif record.outcome is not None:
            self._ended(record, record.outcome)

    def _ended(self, record: Record, outcome: Outcome) -> None:
        self._consider(record)
        self._progress.ended(outcome, self._best[1])
        _log.info("trial %d %s %s %s", record.number, record.key, outcome, record.reason)
        self._phase.training.discard(record)

    def _consider(self, record: Record) -> None:
        if record.outcome is Outcome.COMPLETE and record.accuracy is not None:
            self._best = max(self._best, self._phase.praise(record, record.accuracy), key=lambda best: best[0])

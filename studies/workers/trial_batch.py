"""A batch of trials: those that are missing are trained on the workers, shown, and written to the ledger."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from studies.ledger.frame import write_csv
from studies.ledger.ledger import Ledger
from studies.ledger.trial import Record
from studies.outcome import Outcome
from studies.workers.pool import WorkerPool
from studies.workers.progress import Progress
from studies.workers.protocol import Evaluate
from studies.workers.queue import Score, TrialPlan, TrialQueue
from studies.workers.tensorboard import FOLDER, TensorBoardLogger
from studies.workers.training_job import Training, evaluate

_log = logging.getLogger(__name__)
DescribeBest = Callable[[Record, float], tuple[float, str]]
"""From a complete trial and its accuracy: the figure by which the best is chosen (higher is better), and its text."""


@dataclass(frozen=True)
class TrialBatch:
    """Trials that are wanted and how they are trained.

    title          names the batch for people ("search", "finalists")
    total          how many trials are wanted
    plan           which ones
    training       how they are trained
    score          the objective at a rung
    describe_best  describes the best trial so far
    table          CSV file of all the ledger's trials, written at the end
    counts         which of the ledger's trials are among the wanted ones; all by default
    work           what a worker does with a job; by default it trains the network
    """

    title: str
    total: int
    plan: TrialPlan
    training: Training
    score: Score
    describe_best: DescribeBest
    table: Path
    counts: Callable[[Record], bool] = lambda _: True
    work: Evaluate = evaluate


def run_trials(
    batch: TrialBatch, ledger: Ledger, workers: WorkerPool, console: Console, *, time_budget: float | None = None
) -> list[Record]:
    """Train what the ledger does not have yet. Returns all its trials, those of earlier sessions included.

    After `time_budget` seconds no new trial starts.
    """
    display = _Display(batch, ledger, console, workers.describe())
    folder = batch.table.parent / FOLDER / batch.title
    logs: AbstractContextManager[TensorBoardLogger | None] = (
        TensorBoardLogger(folder) if workers.config.tensorboard else nullcontext()
    )
    with display.progress, logs as logger:

        def watch(event: str, record: Record) -> None:
            if logger is not None:
                logger(event, record)
            display(event, record)
            if event == "end":
                _log.info("trial %d %s %s %s", record.number, record.key, record.outcome, record.reason)
                batch.training.discard(record)

        jobs = TrialQueue(ledger, batch.plan, batch.score, payload=batch.training.payload(), watch=watch)
        if not jobs.is_finished():
            usage = workers.run(jobs, batch.work, time_budget=time_budget)
            _log.info(
                "%s: %d trials, %.1f %% of worker time spent training, first trial after %.0f s, then %.0f s",
                *(batch.title, usage.jobs, 100 * usage.utilisation, usage.startup, usage.wall),
            )
    for record in ledger.records():
        # A worker of a killed driver may have written one after its trial was run again.
        batch.training.discard(record)
    write_csv(ledger, batch.table)
    return ledger.records()


class _Display:
    """Counts a batch's trials and shows them; called on every change of one."""

    def __init__(self, batch: TrialBatch, ledger: Ledger, console: Console, workers: str) -> None:
        self._batch = batch
        self._running = self._images = 0
        self._outcomes: Counter[Outcome] = Counter()
        self._seen: dict[int, int] = {}
        self._best: tuple[float, str] = (float("-inf"), "")
        for record in ledger.records():
            self._consider(record)
        self._began = time.monotonic()
        self._done = min(batch.total, sum(record.is_final and batch.counts(record) for record in ledger.records()))
        self.progress = Progress(
            console, batch.title, batch.total, "trials", done=self._done, note=workers, text=self._text()
        )

    def __call__(self, event: str, record: Record) -> None:
        if event == "begin":
            self._running += 1
        elif event == "rung":
            images = record.rungs[-1].get("images", 0)
            self._images += images - self._seen.get(record.number, 0)
            self._seen[record.number] = images
        elif record.outcome is not None:
            self._ended(record, record.outcome)
        self.progress.update(self._done, self._text())

    def _ended(self, record: Record, outcome: Outcome) -> None:
        self._consider(record)
        self._running = max(0, self._running - 1)
        self._outcomes[outcome] += 1
        self._done += outcome.is_final

    def _consider(self, record: Record) -> None:
        if record.outcome is Outcome.COMPLETE and record.accuracy is not None:
            self._best = max(self._best, self._batch.describe_best(record, record.accuracy), key=lambda best: best[0])

    def _text(self) -> str:
        counts = {"running": self._running} if self._running else {}
        counts |= {str(outcome): number for outcome, number in self._outcomes.items() if outcome != Outcome.COMPLETE}
        speed = f"{self._images / (time.monotonic() - self._began):,.0f} images/s" if self._images else ""
        listed = ", ".join(f"{number} {name}" for name, number in counts.items())
        return " | ".join(filter(None, (listed, self._best[1], speed)))

"""How a trial can end, and which ending an exception is."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# What PyTorch's allocators and the system say; torch.OutOfMemoryError is matched by name so that torch stays unloaded.
_MEMORY_PHRASES = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
Rung = dict[str, Any]
"""What an evaluation yields at each rung, plain JSON values: "step" (1, 2, ...), "accuracy" (0..1) and, where known,
"loss", "images", "seconds" and, of training alone, "train_seconds" and "cpu_seconds" (the processor's). A rung whose
accuracy or loss is not finite ends the trial with outcome nan, one with "outcome" (an Outcome's value other than
complete) ends it with that outcome and the line under "reason"."""


class Outcome(StrEnum):
    """How a trial ended. Every trial of a ledger that is over has exactly one."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    INFEASIBLE = "infeasible"
    NAN = "nan"
    OUT_OF_MEMORY = "out-of-memory"
    ERROR = "error"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Whether the trial counts: an interrupted one is run again under a new number."""
        return self is not Outcome.INTERRUPTED

    @property
    def is_repeatable(self) -> bool:
        """Whether the ending is the candidate's own, so that a repeat of the same candidate takes it over."""
        return self in (Outcome.COMPLETE, Outcome.PRUNED, Outcome.INFEASIBLE, Outcome.NAN)


class InfeasibleError(Exception):
    """Raised by an evaluation for a candidate that cannot be trained at all (its last feature map is empty, say)."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended, as its worker or its driver saw it.

    outcome    how it ended
    reason     one line for people; empty for complete
    seconds    worker-seconds spent in the evaluation
    worker     where it ran: "host:pid"
    traceback  of the exception that ended it, for the log; else empty
    """

    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    worker: str = ""
    traceback: str = ""


def classify(error: BaseException) -> Outcome:
    """The outcome an exception stands for: infeasible, nan, out-of-memory or else error."""
    if isinstance(error, InfeasibleError):
        return Outcome.INFEASIBLE
    if isinstance(error, FloatingPointError):
        return Outcome.NAN
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return Outcome.OUT_OF_MEMORY
    if isinstance(error, RuntimeError | OSError):
        text = str(error).lower()
        if any(phrase in text for phrase in _MEMORY_PHRASES):
            return Outcome.OUT_OF_MEMORY
    return Outcome.ERROR


def describe_error(error: BaseException, limit: int = 300) -> str:
    """An exception as one line: its type, the first line of its message, and where it was raised."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return text[: limit - len(place)] + place

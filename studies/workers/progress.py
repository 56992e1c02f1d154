"""Progress: one live panel on a terminal, plain lines elsewhere, for trials and for the epochs of one training."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search_spaces.common.units import format_duration
from studies.outcome import Outcome
from studies.trainer.evaluation import Evaluation

# Outside a terminal a line is written when a trial ends, but not more often than this.
LINE_SECONDS = 2.0


@dataclass
class Progress:
    """Counts a phase's trials and shows them; use it in a `with`.

    title    what is going on ("search", "finalists")
    total    trials that are wanted
    done     trials that were there already, from an earlier session
    workers  trials that run side by side, where that is known
    """

    console: Console
    title: str
    total: int
    workers: int | None = None
    done: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    running: int = 0
    images: int = 0
    best: str = ""
    _began: float = field(default_factory=time.monotonic)
    _earlier: int = 0
    _last_line: float = 0.0
    _live: Live | None = None

    def __enter__(self) -> Self:
        self._began, self._earlier = time.monotonic(), self.done
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._panel, console=self.console, refresh_per_second=2, transient=True)
            self._live.start()
        else:
            together = f", {self.workers} at a time" if self.workers else ""
            self._print(f"{self.done} of {self.total} trials done{together}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
        self._print(self._line())

    def begun(self) -> None:
        """A trial was handed to a worker."""
        self.running += 1

    def trained(self, images: int) -> None:
        """A worker trained on so many images."""
        self.images += images

    def ended(self, outcome: Outcome, best: str) -> None:
        """A trial ended; `best` describes the best so far."""
        self.running = max(0, self.running - 1)
        self.outcomes[outcome] += 1
        self.best = best
        self.done += outcome.is_final
        now = time.monotonic()
        if not self._live and now - self._last_line >= LINE_SECONDS and self.done < self.total:
            self._last_line = now
            self._print(self._line())

    def _print(self, text: str) -> None:
        # One line is one line, whatever the width: these lines are for logs.
        self.console.print(Text(f"{self.title}: {text}"), soft_wrap=True)

    def _line(self) -> str:
        return " | ".join(filter(None, (f"{self.done}/{self.total} trials", self._counts(), self.best, self._speed())))

    def _counts(self) -> str:
        counts = {str(outcome): number for outcome, number in self.outcomes.items() if outcome is not Outcome.COMPLETE}
        running = {"running": self.running} if self.running else {}
        return ", ".join(f"{number} {name}" for name, number in (running | counts).items())

    def _speed(self) -> str:
        seconds = time.monotonic() - self._began
        fresh = self.done - self._earlier
        parts = [f"{self.images / seconds:,.0f} images/s"] if self.images and seconds > 0 else []
        if fresh > 0 and self.done < self.total:
            left = (self.total - self.done) * seconds / fresh
            parts.append(f"about {format_duration(float(round(left)))} left")
        else:
            parts.append(format_duration(float(round(seconds))))
        return ", ".join(parts)

    def _panel(self) -> Panel:
        table = Table.grid(padding=(0, 2))
        rows = {"trials": f"{self.done} of {self.total} done", "also": self._counts(), "best": self.best}
        for name, text in rows.items():
            if text:
                table.add_row(Text(name, style="dim"), Text(text))
        table.add_row(Text("speed", style="dim"), Text(self._speed()))
        table.add_row(Text(""), ProgressBar(total=max(self.total, 1), completed=self.done, width=50))
        return Panel(table, title=self.title, title_align="left", expand=False)


@dataclass
class EpochProgress:
    """Shows the evaluations of one training; use it in a `with`.

    title   whose they are ("seed 0")
    epochs  that are wanted
    """

    console: Console
    title: str
    epochs: int
    _began: float = field(default_factory=time.monotonic)
    _last: Evaluation | None = None
    _best: Evaluation | None = None
    _last_line: float = 0.0
    _is_over: bool = False
    _live: Live | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._panel, console=self.console, refresh_per_second=2, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
        self._is_over = error is None
        self._print()

    def evaluated(self, row: Evaluation) -> None:
        """An epoch is over."""
        self._last, self._began = row, time.monotonic()
        if self._best is None or row.accuracy > self._best.accuracy:
            self._best = row
        if not self._live and self._began - self._last_line >= LINE_SECONDS and row.epoch < self.epochs:
            self._last_line = self._began
            self._print()

    def _print(self) -> None:
        # One line is one line, whatever the width: these lines are for logs.
        self.console.print(Text(f"{self.title}: {self._line()}"), soft_wrap=True)

    def _line(self) -> str:
        last, best = self._last, self._best
        if last is None or best is None:
            return f"0/{self.epochs} epochs"
        parts = [
            f"{last.epoch:g}/{self.epochs} epochs",
            f"loss {last.train_loss:.3f} in training, {last.loss:.3f} on validation images",
            f"{last.accuracy:.1%}" + ("" if best is last else f", best {best.accuracy:.1%} after {best.epoch:g}"),
            self._speed(last),
        ]
        return " | ".join(parts)

    def _speed(self, last: Evaluation) -> str:
        speed = f"{last.images / last.train_seconds:,.0f} images/s" if last.train_seconds > 0 else ""
        seconds = last.train_seconds + last.eval_seconds
        if self._is_over or last.epoch >= self.epochs:
            return f"{speed}, {format_duration(float(round(seconds)))}"
        left = (self.epochs - last.epoch) * seconds / last.epoch
        return f"{speed}, about {format_duration(float(round(left)))} left"

    def _panel(self) -> Panel:
        done = self._last.epoch if self._last else 0.0
        waited = format_duration(float(round(time.monotonic() - self._began)))
        text = Text(self._line() + f" | this epoch {waited}")
        return Panel(
            Group(text, ProgressBar(total=self.epochs, completed=done, width=50)),
            title=self.title,
            title_align="left",
            expand=False,
        )

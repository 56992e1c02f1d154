"""What a training shows: one live panel on a terminal, plain lines elsewhere, an epoch at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.text import Text

from search_spaces.units import format_duration
from studies.evaluation import Evaluation
from studies.progress import LINE_SECONDS


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

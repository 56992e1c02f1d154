"""What a running study shows: one live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search_spaces.units import format_duration
from studies.outcome import Outcome

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

"""Progress of trials or epochs: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from search_spaces.common.units import format_duration

# Outside a terminal at most one line is written in so many seconds.
LINE_SECONDS = 2.0


class Progress:
    """Shows how much of something is done; use it in a `with`, and `update` it.

    On a terminal it is a bar that disappears at the end; elsewhere it is a line now and then. The last line stays.
    """

    def __init__(
        self, console: Console, title: str, total: int, unit: str, *, done: float = 0.0, note: str = "", text: str = ""
    ) -> None:
        """
        Args:
            console: where it is shown
            title: of what the progress is ("search", "seed 0")
            total: how many units are wanted
            unit: their name in the plural ("trials", "epochs")
            done: units that are done already
            note: ends the first plain line ("2 at a time")
            text: what else is known, as in `update`

        """
        self._console, self._title, self._total, self._unit = console, title, total, unit
        self._done = self._earlier = done
        self._note, self._text = note, text
        self._began = time.monotonic()
        self._last_line = 0.0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
        what = TextColumn("{task.fields[text]}", markup=False)
        self._bars = Bars(*columns, TimeRemainingColumn(), what, console=console, transient=True)
        self._task = self._bars.add_task(title, total=total, text=text)
        self._bars.update(self._task, completed=done)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if self._console.is_terminal:
            self._bars.start()
        else:
            self._print(", ".join(filter(None, (f"{self._done:g} of {self._total} {self._unit} done", self._note))))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()
        self._print(self._line(format_duration(float(round(self.seconds)))))

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def update(self, done: float, text: str, unit_seconds: float | None = None) -> None:
        """Show that `done` units are done, and `text`.

        `unit_seconds` is what a unit takes, for the time that is left; measured here by default.
        """
        self._done, self._text = done, text
        self._bars.update(self._task, completed=done, text=text)
        if self._console.is_terminal or done >= self._total or self.seconds - self._last_line < LINE_SECONDS:
            return
        self._last_line = self.seconds
        fresh = done - self._earlier
        each = unit_seconds if unit_seconds is not None else self.seconds / fresh if fresh > 0 else None
        left = None if each is None else format_duration(float(round((self._total - done) * each)))
        self._print(self._line(f"about {left} left" if left else ""))

    def _print(self, text: str) -> None:
        # One line is one line, whatever the width: these lines are for logs.
        self._console.print(Text(f"{self._title}: {text}"), soft_wrap=True)

    def _line(self, time_text: str) -> str:
        return " | ".join(filter(None, (f"{self._done:g}/{self._total} {self._unit}", self._text, time_text)))

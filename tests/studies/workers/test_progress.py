"""What progress prints where the output is no terminal, and on one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from studies.workers import progress
from studies.workers.progress import Progress

BEST = "1 nan | best reward 0.7500 (proxy accuracy 76.0%, 385.8M FLOPs)"


def printed(*, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=40)
    with Progress(console, "search", 3, "trials", done=1, note="2 at a time") as shown:
        shown.update(2, "running")
        shown.update(3, BEST)
    return output.getvalue()


def test_plain_lines_are_whole_lines_whatever_the_width() -> None:
    first, *_, last = printed(terminal=False).splitlines()
    assert first == "search: 1 of 3 trials done, 2 at a time"
    assert last == f"search: 3/3 trials | {BEST} | 0s"


def test_a_terminal_gets_no_intermediate_lines() -> None:
    text = printed(terminal=True)
    assert "2/3 trials" not in text
    assert "3/3 trials" in text


@pytest.mark.parametrize(("unit_seconds", "left"), [(None, "0s"), (30.0, "2m")])
def test_a_line_now_and_then_says_what_is_left(
    unit_seconds: float | None, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    output = io.StringIO()
    with Progress(Console(file=output), "seed 0", 6, "epochs") as shown:
        shown.update(0, "", unit_seconds=None)
        shown.update(2, "60.0%", unit_seconds)
    lines = output.getvalue().splitlines()
    assert lines[1] == "seed 0: 0/6 epochs"
    assert lines[2] == f"seed 0: 2/6 epochs | 60.0% | about {left} left"


def test_a_bar_shows_how_far_it_is_and_what_else_is_known() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, record=True)
    with Progress(console, "search", 36, "trials", done=11) as shown:
        shown.update(12, "best reward [0.81]")
        shown._bars.refresh()
    text = console.export_text()
    assert "12/36" in text
    assert "best reward [0.81]" in text

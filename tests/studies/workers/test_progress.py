"""What a running study prints where the output is no terminal, and on one."""

from __future__ import annotations

import io

from rich.console import Console

from studies.outcome import Outcome
from studies.workers.progress import Progress


def printed(terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=40)
    with Progress(console, "search", total=3, workers=2, done=1) as progress:
        progress.begun()
        progress.trained(4000)
        progress.ended(Outcome.COMPLETE, "best reward 0.7500 (proxy accuracy 76.0%, 385.8M FLOPs)")
        progress.begun()
        progress.ended(Outcome.NAN, progress.best)
    return output.getvalue()


def test_plain_lines_are_whole_lines_whatever_the_width():
    first, *_, last = printed(terminal=False).splitlines()
    assert first == "search: 1 of 3 trials done, 2 at a time"
    assert last.startswith("search: 3/3 trials | 1 nan | best reward 0.7500 (proxy accuracy 76.0%, 385.8M FLOPs) | ")
    assert "images/s" in last


def test_a_terminal_gets_no_intermediate_lines():
    text = printed(terminal=True)
    assert "2/3 trials" not in text
    assert "3/3 trials" in text


def test_an_interrupted_trial_is_not_done():
    output = io.StringIO()
    with Progress(Console(file=output), "search", total=2) as progress:
        progress.begun()
        progress.ended(Outcome.INTERRUPTED, "")
    assert "0/2 trials | 1 interrupted" in output.getvalue()


def test_the_panel_says_how_far_it_is_and_what_is_best():
    progress = Progress(Console(), "search", total=36, done=11)
    progress.outcomes[Outcome.PRUNED] = 3
    progress.running, progress.best = 2, "best reward 0.81"
    console = Console(file=io.StringIO(), width=80, record=True)
    console.print(progress._panel())
    lines = [line.strip("│ ") for line in console.export_text().splitlines()]
    assert lines[0].startswith("╭─ search")
    assert lines[1:4] == ["trials  11 of 36 done", "also    2 running, 3 pruned", "best    best reward 0.81"]

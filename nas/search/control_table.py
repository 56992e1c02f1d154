"""The controls of a search as a table of text."""

from __future__ import annotations

from collections.abc import Iterator

from nas.search.analysis import SearchResult
from nas.search.conclusions import Gain, describe_gain
from nas.search.gains import TrainedControl
from search_spaces.common.text import align_columns

HEADER = ("control", "width", "layers", "of target", "reward", "accuracy", "winner's gain in reward")


def control_table(result: SearchResult) -> str:
    """What each control became, its reward and accuracy, and what the winner gained over it; empty without controls."""
    trained = result.controls.trained
    if not trained:
        return ""
    rows = [_row(one, result) for one in trained]
    columns = len(HEADER) if any(row[-1] for row in rows) else len(HEADER) - 1
    table = align_columns(HEADER[:columns], [row[:columns] for row in rows], left=(HEADER[0], HEADER[-1]))
    return "\n".join([table, *_left_out(result)])


def _row(one: TrainedControl, result: SearchResult) -> tuple[str, ...]:
    control, found = one.control, one.result
    gains: dict[str, Gain] = {gain.over: gain for gain in result.controls.conclusions.known}
    gain = gains.get(control.title)
    return (
        control.title,
        "" if control.width is None else f"x{control.width:.3f}",
        str(control.layers),
        f"{control.ratio:.1%}",
        f"{found.reward:.4f}" if found else "",
        f"{found.accuracy.percent}" if found else "",
        one.problem or (describe_gain(gain.reward) if gain else ""),
    )


def _left_out(result: SearchResult) -> Iterator[str]:
    for name, reason in result.session.controls.left_out.items():
        yield f"left out: {name}: {reason}"

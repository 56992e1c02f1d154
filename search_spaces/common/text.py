"""Text in columns, and counts with their nouns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

Row = tuple[str, ...]


def one_line(text: str) -> str:
    """Text with every run of white space, line breaks included, as one space."""
    return " ".join(text.split())


def align_columns(header: Sequence[str], rows: Iterable[Row], *, left: Collection[str] = ()) -> str:
    """Columns of equal width, aligned right except those named in `left`, or the first if there is no header."""
    lines = [*([tuple(header)] if header else []), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned_left = [name in left for name in header] or [True] + [False] * (len(widths) - 1)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(line, widths, aligned_left, strict=True)
        ).rstrip()
        for line in lines
    )


def pluralise(number: int, noun: str) -> str:
    """A number of things, such as "1 seed" or "3 seeds"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def align_facts(rows: Mapping[str, str]) -> str:
    """Facts by name, a line each, the texts in one column."""
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())

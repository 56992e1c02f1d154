"""A terminal as SVG, for the README: tmux capture-pane -p -e | python scripts/terminal_picture.py TITLE FILE."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def main() -> None:
    """Read what the terminal shows, colours included, from standard input and write the picture."""
    title, path = sys.argv[1:]
    screen = Text.from_ansi(sys.stdin.read().rstrip())
    width = max(line.cell_len for line in screen.split("\n"))
    console = Console(record=True, width=max(width, 60), file=io.StringIO(), force_terminal=True)
    console.print(screen)
    # The picture is to stand alone: whatever monospaced font there is serves.
    picture = re.sub(r"@font-face\s*{[^}]*}", "", console.export_svg(title=title))
    Path(path).write_text(picture)


if __name__ == "__main__":
    main()

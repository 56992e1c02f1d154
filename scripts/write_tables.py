"""Write the docs' tables of registries: python scripts/write_tables.py [--check] [PAGE ...]

A table stands between two comments. The first names the registry, and the attributes of its rows that are the columns,
each with its header if that is another:

    <!-- table nas.samplers.registry:SAMPLERS name=sampler label="what it does" startup -->
    <!-- end of table -->

With --check nothing is written; the exit code is 1 if a table is not what the registry says.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_TABLE = re.compile(r"(<!-- table (.+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_PAPER = re.compile(r"arXiv (\d{4}\.\d{5}(?:v\d+)?)")


def filled(page: str) -> str:
    """The text of a page with its tables written anew."""
    return _TABLE.sub(lambda found: found[1] + table(*shlex.split(found[2])) + found[3], page)


def table(registry: str, *columns: str) -> str:
    """The rows of "module:attribute" in Markdown; a column is an attribute, or attribute=header."""
    from search_spaces.common.lazy import resolve

    pairs = [(name, header or name.replace("_", " ")) for name, _, header in (one.partition("=") for one in columns)]
    rows = [[cell(name, getattr(row, name)) for name, _ in pairs] for row in resolve(registry).values()]
    head, *lines = [f"| {' | '.join(line)} |\n".replace("  ", " ") for line in ([header for _, header in pairs], *rows)]
    return "".join([head, f"|{'---|' * len(pairs)}\n", *lines])


def cell(attribute: str, value: Any) -> str:
    """A value of a row as Markdown: names as code, papers as links, no asterisk as emphasis."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(cell("name", one) for one in value)
    text = str(value).replace("|", "\\|").replace("*", "\\*")
    if attribute == "name" and text:
        return f"`{text}`"
    return _PAPER.sub(r"arXiv [\1](https://arxiv.org/abs/\1)", text)


def main() -> int:
    """Write or check the pages; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a table is out of date")
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="default: README.md and docs/*.md")
    given = parser.parse_args()
    stale = []
    for page in given.pages or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text()
        if (now := filled(text)) != text:
            stale.append(page)
            if not given.check:
                page.write_text(now)
    for page in stale:
        print(f"{page}: its tables are out of date: run make tables" if given.check else f"{page} written")
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())

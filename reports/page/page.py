"""Sections as a page of its own (HTML) and as markdown for a pull request, with the files that lie beside them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.page import prose, tables
from reports.page.content import Figure, Section, Table
from reports.page.prose import slug
from reports.page.render import Picture, render

PAGE, MARKDOWN = "report.html", "report.md"
# Markdown is for reading in a pull request; longer tables are in their CSV files.
MAX_MARKDOWN_ROWS = 30


@dataclass(frozen=True)
class ShownFigure:
    """A figure and its picture; None, with what went wrong in `problem`, where it cannot be drawn."""

    figure: Figure
    name: str
    picture: Picture | None
    problem: str = ""


@dataclass(frozen=True)
class ShownSection:
    """A section with its figures drawn; `items` are str, ShownFigure and tables.ShownTable."""

    section: Section
    id: str
    items: Sequence[Any]


@dataclass
class _Names:
    """Names given so far: one that comes again gets a number."""

    taken: set[str] = field(default_factory=set)

    def unique(self, name: str) -> str:
        base, count = slug(name), 1
        unique = base
        while unique.lower() in self.taken:
            count += 1
            unique = f"{base}-{count}"
        self.taken.add(unique.lower())
        return unique


def write_up(title: str, subtitle: str, sections: Sequence[Section]) -> dict[str, str | bytes]:
    """All files of a report by name: report.html, report.md, figures/*.svg and *.png, tables/*.csv.

    The page needs none of the others. A figure that cannot be drawn is a line that says so.
    """
    names = _Names()
    drawn = [_show(section, names) for section in sections]
    view = {
        "title": title,
        "subtitle": subtitle,
        "sections": drawn,
        "glossary": glossary_of(sections),
        "headers": headers_of(sections),
    }
    files: dict[str, str | bytes] = {PAGE: _html(view), MARKDOWN: _markdown(view)}
    for item in _items(drawn):
        if isinstance(item, tables.ShownTable):
            files[item.file] = tables.to_csv(item.table)
        elif isinstance(item, ShownFigure) and item.picture:
            files[f"figures/{item.name}.svg"] = item.picture.svg
            files[f"figures/{item.name}.png"] = item.picture.png
    return files


def glossary_of(sections: Sequence[Section]) -> dict[str, str]:
    """All terms with their definitions, in order of the alphabet; the first definition of a term holds."""
    found: dict[str, tuple[str, str]] = {}
    for section in sections:
        for term, definition in section.terms.items():
            found.setdefault(term.lower(), (term, definition))
    return dict(found[name] for name in sorted(found))


def headers_of(sections: Sequence[Section]) -> list[tuple[str, str]]:
    """What the tables' columns mean, (title, definition) in the order of the page, each once."""
    columns = [
        column for section in sections for item in section.items if isinstance(item, Table) for column in item.columns
    ]
    return list(dict.fromkeys((column.title, column.definition) for column in columns if column.definition))


def _show(section: Section, names: _Names) -> ShownSection:
    return ShownSection(section, names.unique(section.id), [_item(item, names) for item in section.items])


def _item(item: str | Figure | Table, names: _Names) -> Any:
    if isinstance(item, Table):
        return tables.shown(item, f"tables/{names.unique(item.name)}.csv")
    if isinstance(item, Figure):
        name = names.unique(item.name)
        try:
            return ShownFigure(item, name, render(item, name))
        except Exception as error:  # data may be broken in ways nobody thought of; the rest is still worth reading
            return ShownFigure(item, name, None, f"{type(error).__name__}: {' '.join(str(error).split())}")
    return item


def _items(sections: Sequence[ShownSection]) -> Iterator[Any]:
    for section in sections:
        yield from section.items


def _html(view: Mapping[str, Any]) -> str:
    environment = _environment(autoescape=True)
    script = _source(environment, "page.js")
    seen: set[str] = set()
    return environment.get_template("page.html").render(
        **view,
        style=Markup(_source(environment, "page.css")),
        script=Markup(script),
        # Only this very script may run, whatever a name in the data says.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        words=lambda text: prose.html(text, view["glossary"], seen),
    )


def _markdown(view: Mapping[str, Any]) -> str:
    environment = _environment(autoescape=False)
    return environment.get_template("report.md").render(**view, words=prose.markdown, most=MAX_MARKDOWN_ROWS)


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("reports.page"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    kinds: dict[str, Callable[[Any], bool]] = {
        "figure": lambda item: isinstance(item, ShownFigure),
        "table": lambda item: isinstance(item, tables.ShownTable),
        "command": prose.is_command,
    }
    environment.tests.update(kinds)
    environment.filters.update(slug=slug, bare=lambda text: text.strip().strip("`"), svg=Markup)
    return environment


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]

"""Plain text as the page and the markdown file show it: escaped, with `code` in backticks and terms explained."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")


def slug(text: str) -> str:
    """Text as a file's name and an element's id: letters, digits, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.") or "x"


def is_command(text: str) -> bool:
    """Whether a paragraph is nothing but code: shown as a block to copy."""
    return bool(_CODE.fullmatch(text.strip()))


def html(text: str, terms: Mapping[str, str], seen: set[str]) -> Markup:
    """A paragraph: code between backticks, and each term's first mention linked to the glossary.

    Args:
        text: plain
        terms: term to definition
        seen: terms that are linked already; those linked here join it

    """
    parts = []
    for place, part in enumerate(_CODE.split(text)):
        parts.append(Markup("<code>{}</code>").format(part) if place % 2 else _linked(part, terms, seen))
    return Markup("").join(parts)


def markdown(text: str) -> str:
    """Text that GitHub's markdown shows as it is; code between backticks stays code."""
    parts = _CODE.split(text)
    return "".join(f"`{part}`" if place % 2 else _plain(part) for place, part in enumerate(parts))


def _plain(text: str) -> str:
    escaped = re.sub(r"([\\*_\[\]#|~`$])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))
    return re.sub(r"\s*\n\s*", " ", escaped)


def _linked(text: str, terms: Mapping[str, str], seen: set[str]) -> Markup:
    wanted = [term for term in terms if term not in seen]
    if not wanted:
        return escape(text)
    ordered = sorted(wanted, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, ordered))})(?!\w)", re.IGNORECASE)
    names = {term.lower(): term for term in wanted}
    parts = []
    for place, part in enumerate(pattern.split(text)):
        term = names.get(part.lower()) if place % 2 else None
        if term is None or term in seen:
            parts.append(escape(part))
            continue
        seen.add(term)
        link = '<a class="term" href="#term-{}" title="{}">{}</a>'
        parts.append(Markup(link).format(slug(term), terms[term], part))
    return Markup("").join(parts)

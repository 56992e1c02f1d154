"""The structure that the design promises: no import cycles, not even through late imports or `__init__` files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("search_spaces", "studies", "nas", "scaling", "reports")


def modules() -> dict[str, Path]:
    """Every module by its dotted name, packages under their own."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a file imports, at its top or inside a function, types apart, and the packages they lie in."""
    tree = ast.parse(path.read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [full if (full := f"{node.module}.{alias.name}") in known else node.module for alias in node.names]
        for name in names:
            if name not in known:
                continue
            yield name
            # Python runs the package's own file first.
            parts = name.split(".")
            yield from (".".join(parts[:depth]) for depth in range(1, len(parts)))


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one cycle of a graph, in order; empty where there is none."""
    done: set[str] = set()
    for start in graph:
        trail: list[str] = []
        pending: list[tuple[str, bool]] = [(start, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                trail.pop()
                done.add(name)
                continue
            if name in trail:
                return [*trail[trail.index(name) :], name]
            if name in done:
                continue
            trail.append(name)
            pending.append((name, True))
            pending.extend((other, False) for other in graph[name])
    return []


def test_no_module_imports_itself_by_a_detour() -> None:
    known = modules()
    graph = {name: {other for other in imports(path, known) if other != name} for name, path in known.items()}
    # A package is run before its modules, which is no cycle unless it imports one of them.
    for name in graph:
        parents = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
        graph[name] -= {parent for parent in parents if not graph[parent]}
    assert cycle(graph) == []


def test_cycles_are_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []

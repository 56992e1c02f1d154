"""Rows by name, and a user's own code in their place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from search_spaces.common.registry import Registry, Row
from search_spaces.common.user_code import digests, is_user_code, sources


def adopt(name: str, found: Any) -> Row:
    if not callable(found):
        raise ValueError(f"must be a function, got {type(found).__name__}")
    return Row(name=name, code=name, label=name)


FRUIT = Registry(
    "fruit",
    [Row(name="apple", code="operator:add", label="a fruit"), Row(name="pear", code="operator:sub", label="another")],
    adopt,
)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SimpleNamespace:
    """A module outside the repository, under a name of its own, in a folder that Python searches."""
    name = f"own_{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]}"
    file = tmp_path / f"{name}.py"
    file.write_text(
        "from search_spaces.common.registry import Row\n"
        "def grow(a, b): return a + b\n"
        f"PLUM = Row(name='plum', code='{name}:grow', label='a blue fruit')\n"
        "NUMBER = 3\n"
        f"WRONG = Row(name='wrong', code='{name}:NUMBER', label='no fruit')\n"
        f"GONE = Row(name='gone', code='{name}:gone', label='no fruit')\n"
        "BARE = Row(name='bare', code='grow', label='no fruit')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return SimpleNamespace(name=name, file=file)


def test_rows_are_found_by_name_in_their_order() -> None:
    assert list(FRUIT) == ["apple", "pear"]
    assert FRUIT.row("pear").load()(5, 3) == 2
    with pytest.raises(ValueError, match="did you mean 'apple'"):
        FRUIT.row("aple")


def test_a_users_code_or_row_takes_the_place_of_a_row(own: SimpleNamespace) -> None:
    assert FRUIT.row(f"{own.name}:grow").load()(5, 3) == 8
    plum = FRUIT.row(f"{own.name}:PLUM")
    assert (plum.name, plum.label, plum.load()(1, 1)) == (f"{own.name}:PLUM", "a blue fruit", 2)


@pytest.mark.parametrize("attribute", ["NUMBER", "grw", "WRONG", "BARE"])
def test_what_breaks_the_contract_or_is_not_there_is_refused(own: SimpleNamespace, attribute: str) -> None:
    with pytest.raises(ValueError, match=f"fruit {own.name}:{attribute}"):
        FRUIT.row(f"{own.name}:{attribute}")


def test_a_row_whose_code_is_not_there_is_refused(own: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match=f"fruit {own.name}:gone"):
        FRUIT.row(f"{own.name}:GONE")


@pytest.mark.parametrize("text", ["raise RuntimeError('two\\nlines')", "def broken(:", "import not_there_at_all"])
def test_a_module_that_cannot_be_imported_is_refused_in_one_line(own: SimpleNamespace, text: str) -> None:
    own.file.write_text(text)
    with pytest.raises(ValueError, match=own.name) as caught:
        FRUIT.row(f"{own.name}:grow")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["1:1:1", "v2:224", "imagefolder:", "imagefolder:/data", "a:b/c", "a b:c", "plain"])
def test_other_names_are_not_taken_for_code(name: str) -> None:
    assert not is_user_code(name)


def test_the_source_of_a_users_code_is_known_and_digested(own: SimpleNamespace, tmp_path: Path) -> None:
    names = ["apple", f"{own.name}:grow", f"{own.name}:PLUM"]
    assert sources(names) == {own.name: own.file.resolve()}
    before = digests(names)
    own.file.write_text(own.file.read_text() + "OTHER = 1\n")
    assert set(before) == {own.name}
    assert digests(names) != before
    package = tmp_path / f"{own.name}_package"
    (package / "inner").mkdir(parents=True)
    for file in (package / "__init__.py", package / "inner" / "__init__.py"):
        file.write_text("def grow(a, b): return a\n")
    whole = f"{own.name}_package.inner:grow"
    assert FRUIT.row(whole).load()(4, 9) == 4
    assert sources([whole]) == {package.name: package.resolve()}
    before = digests([whole])
    (package / "inner" / "__init__.py").write_text("def grow(a, b): return b\n")
    assert digests([whole]) != before


def test_what_a_users_code_imports_beside_it_belongs_to_it(own: SimpleNamespace, tmp_path: Path) -> None:
    helper, other = f"{own.name}_helper", f"{own.name}_other"
    (tmp_path / f"{helper}.py").write_text(f"import os, numpy, nas\ndef late(): from {other} import inner\n")
    (tmp_path / other).mkdir()
    (tmp_path / other / "__init__.py").write_text("from . import inner\n")
    (tmp_path / other / "inner.py").write_text("this is no Python\n")
    own.file.write_text(f"from {helper} import late\nimport not_there_at_all\n")
    names = [f"{own.name}:late"]
    assert list(sources(names)) == sorted([own.name, helper, other])
    before = digests(names)
    (tmp_path / other / "inner.py").write_text("this is no Python either\n")
    changed = {module for module, digest in digests(names).items() if before[module] != digest}
    assert changed == {other}
    assert list(sources(["numpy:array"])) == ["numpy"]


def test_code_without_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="sys"):
        sources(["sys:path"])

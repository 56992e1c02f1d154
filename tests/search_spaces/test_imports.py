"""The package's face: what it exports, how fast it loads, and that it leaves torch alone."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import search_spaces

PUBLIC = {"Arch", "Stage", "Layer", "Cost", "Space", "get", "cost", "walk", "build", "space"}


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_all_is_what_can_be_imported() -> None:
    for name in search_spaces.__all__:
        assert getattr(search_spaces, name).__name__ == name
    assert PUBLIC <= set(search_spaces.__all__) <= set(dir(search_spaces))


def test_no_module_has_a_public_function_s_name() -> None:
    modules = {path.stem for path in Path(search_spaces.__file__).parent.iterdir()}
    assert not modules & set(search_spaces.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="bild"):
        search_spaces.bild  # noqa: B018


def test_costs_and_spaces_need_no_torch() -> None:
    code = "import sys, search_spaces as ss; ss.cost(ss.get('efficientnet_b0')); ss.space('mnasnet'); ss.Arch"
    heavy = "{'torch', 'torchvision', 'fvcore', 'ray', 'optuna', 'pandas', 'scipy', 'matplotlib'}"
    assert run(f"{code}; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_the_table_s_help_needs_no_torch() -> None:
    code = "import sys, search_spaces.table; print('torch' in sys.modules, 'fvcore' in sys.modules)"
    assert run(code) == "False False"


def test_importing_takes_less_than_three_tenths_of_a_second() -> None:
    def seconds(code: str) -> float:
        start = time.perf_counter()
        run(code)
        return time.perf_counter() - start

    # The best of four, minus the interpreter's own start, so that a busy machine does not fail it.
    assert min(seconds("import search_spaces") - seconds("pass") for _ in range(4)) < 0.3

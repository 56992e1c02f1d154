"""Shared set-up: one thread a process, the same examples every time, signals that reach the processes of a test.

Tests that need a GPU are reported as not run where there is none.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from tests.own_code import write_modules

settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the modules of docs/own-code.md as outside_images.py and so on; Python finds them there."""
    folder = tmp_path_factory.mktemp("outside")
    write_modules(folder, "outside_")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def pytest_configure() -> None:
    """A suite that a script put into the background ignores Ctrl-C, and so would the processes that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come between the others, one by one: they wait for processes while the others compute."""
    files = list(dict.fromkeys(item.path for item in items))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    waiting, others = [one for one in files if one in slow], [one for one in files if one not in slow]
    order = {one: 2 * place for place, one in enumerate(waiting)}
    order |= {one: 2 * place + 1 for place, one in enumerate(others)}
    items.sort(key=lambda item: order[item.path])
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="NOT RUN: there is no GPU here"))

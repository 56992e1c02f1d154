"""What trainings in these tests share: a few real images, a tiny network in a file, one thread."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from studies.data.dataset import Dataset
from studies.data.load import load
from tests.studies.trainings import TINY


@pytest.fixture(scope="module")
def data() -> Dataset:
    whole = load("fashion-mnist-mini")
    return dataclasses.replace(whole, validation=whole.validation.take(200, seed=0))


@pytest.fixture
def arch(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.json"
    TINY.save(path)
    return path


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)

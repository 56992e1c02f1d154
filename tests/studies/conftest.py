"""What trainings in these tests share: a few real images, one thread."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from studies.data import Dataset, load


@pytest.fixture(scope="module")
def data() -> Dataset:
    whole = load("fashion-mnist-mini")
    return dataclasses.replace(whole, validation=whole.validation.take(200, seed=0))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)

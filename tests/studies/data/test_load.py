"""Data sets by name: the bundled one and its split."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from studies.data.load import load
from studies.data.registry import DATASETS
from studies.data.sources import BUNDLED_FILE
from studies.data.splits import TensorSplit


def test_the_bundled_set_is_balanced_and_split_without_overlap() -> None:
    data = load("fashion-mnist-mini", seed=3)
    train, validation, test = data.train, data.validation, data.test()
    assert (len(train), len(validation), len(test)) == (8000, 2000, 5000)
    assert isinstance(train, TensorSplit)
    assert isinstance(validation, TensorSplit)
    assert isinstance(test, TensorSplit)
    assert test.labels.bincount().tolist() == [500] * 10
    assert validation.labels.bincount().tolist() == [200] * 10
    rows = torch.cat([train.images, validation.images]).flatten(1)
    # Some images of Fashion-MNIST are equal, so a sum shows that all 10 000 are there.
    assert rows.shape == (10_000, 784)
    whole = np.load(BUNDLED_FILE)["train_images"].astype(np.int64).sum()
    assert int(rows.long().sum()) == whole
    assert data.classes[9] == "Ankle boot"
    row = DATASETS["fashion-mnist-mini"]
    assert (len(data.classes), data.resolution) == (row.classes, row.pixels)


def test_the_same_seed_holds_out_the_same_images() -> None:
    first, again, other = (load("fashion-mnist-mini", seed=seed, validation=500).validation for seed in (0, 0, 1))
    assert isinstance(first, TensorSplit)
    assert isinstance(again, TensorSplit)
    assert isinstance(other, TensorSplit)
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


@pytest.mark.parametrize("validation", [0, 10_000])
def test_a_validation_part_that_leaves_no_part_any_image_is_refused(validation: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 9999"):
        load("fashion-mnist-mini", validation=validation)

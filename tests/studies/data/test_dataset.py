"""How many images are held out, and how many an epoch may have."""

from __future__ import annotations

import pytest

from studies.data.dataset import check_images, validation_count
from studies.data.load import load


@pytest.mark.parametrize(
    ("asked", "images", "held_out"), [(None, 5, 1), (None, 49_999, 9_999), (None, 60_000, 10_000), (7, 8, 7), (1, 2, 1)]
)
def test_a_fifth_of_the_images_is_held_out_unless_another_number_is_asked_for(
    asked: int | None, images: int, held_out: int
) -> None:
    assert validation_count(asked, images) == held_out


@pytest.mark.parametrize(("asked", "images"), [(None, 4), (0, 9), (-1, 9), (9, 9)])
def test_no_part_may_be_without_images(asked: int | None, images: int) -> None:
    with pytest.raises(ValueError, match="got"):
        validation_count(asked, images)


def test_an_epoch_has_at_most_all_training_images() -> None:
    data = load("fashion-mnist-mini", validation=9_000)
    for images in (0, 1_000):
        check_images(images, data)
    with pytest.raises(ValueError, match="--images 1001"):
        check_images(1_001, data)

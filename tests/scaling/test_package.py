"""What the package scaling exports."""

from __future__ import annotations

import pytest

import scaling
import search_spaces as ss
from search_spaces.resizing.compound import PAPER


@pytest.mark.parametrize("name", scaling.__all__)
def test_the_package_exports(name: str) -> None:
    assert getattr(scaling, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'grow'"):
        scaling.grow  # noqa: B018
    assert scaling.scale(ss.get("efficientnet_b0"), PAPER, 1).resolution == 258

"""The rows of the search spaces, and a user's own in their place. The contract of spaces is in test_spaces.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces.spaces.registry import SPACES, operators_of, space
from search_spaces.spaces.staged import StagedSpace

OWN = "outside_space:make"
WRONG = """
from search_spaces.networks.arch import Arch, Stage
from search_spaces.spaces.space import Space

NUMBER = 3
ARCH = Arch((Stage("conv", 3, 1, 8, 1),), stem=8, head=0, resolution=8, classes=2)


def decode(choice):
    return ARCH.replace(head=choice["head"])


FIXED = Space("fixed", {"head": (0, 8)}, decode)
TABLE = Space("table", {"head": (0, 8)}, tuple)


def nothing(classes):
    return None


def deaf(classes, resolution=8):
    return FIXED


def broken(classes):
    raise RuntimeError("two\\nlines")


def lost(classes):
    return Space("lost", {"neck": (0, 8)}, decode)


def needy(classes, depth):
    return FIXED
"""


@pytest.mark.usefixtures("outside")
def test_the_own_operators_of_a_space_are_known() -> None:
    assert operators_of(space("small")) == ()
    assert operators_of(space(OWN)) == ("outside_operator:CHEAP", "outside_operator:cheap")


@pytest.mark.parametrize("name", SPACES)
def test_a_row_names_the_references_that_its_code_takes(name: str) -> None:
    for place, reference in enumerate(SPACES[name].references):
        made = space(name, reference=reference)
        assert isinstance(made, StagedSpace)
        assert (made.reference == space(name).reference) == (place == 0)
    with pytest.raises(ValueError, match="efficientnet_b7"):
        space(name, reference="efficientnet_b7")


def test_a_users_space_has_the_settings_of_its_function() -> None:
    made = space(OWN, resolution=24, classes=5)
    arch = made.decode(made.choice([0] * len(made.choices)))
    assert (made.name, arch.resolution, arch.classes) == ("cheap", 24, 5)
    assert space(OWN, resolution=24, classes=5) is made
    with pytest.raises(ValueError, match="^width .*outside_space:make"):
        space(OWN, width=2.0)


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "triaxis_tests_wrong_spaces.py").write_text(WRONG)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "triaxis_tests_wrong_spaces"


def test_a_users_space_may_have_no_settings(wrong: str) -> None:
    made = space(f"{wrong}:FIXED", resolution=8, classes=2)
    assert made.size == 2
    assert space(f"{wrong}:FIXED") is made


@pytest.mark.parametrize("attribute", ["NUMBER", "TABLE", "missing", "nothing", "deaf", "broken", "lost", "needy"])
def test_what_is_no_space_of_the_networks_asked_for_is_refused_in_one_line(attribute: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=f"space {wrong}:{attribute}") as error:
        space(f"{wrong}:{attribute}", classes=10)
    assert "\n" not in str(error.value)


def test_a_space_of_other_images_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="resolution 9, .* 8"):
        space(f"{wrong}:FIXED", resolution=9)

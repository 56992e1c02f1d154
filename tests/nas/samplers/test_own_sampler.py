"""A user's sampler that breaks the contract is refused in one line: before the search, or at the proposal."""

from __future__ import annotations

from pathlib import Path

import pytest

import search_spaces as ss
from nas import optimize
from nas.samplers import registry as samplers

SPACE = ss.space("small", resolution=28)
BAND = (60_000_000, 70_000_000)
TEXT = """
import numpy as np
from nas.samplers.base import SpaceSampler
from nas.samplers.registry import SamplerInfo

class Base(SpaceSampler):
    def propose(self, study, trial, rng):
        return self.made(rng), "made"

class Sound(Base):
    def made(self, rng): return self.uniform(rng)

class Outside(Base):
    def made(self, rng): return self.params(np.array([0] * len(self._space.choices)))

class Unknown(Base):
    def made(self, rng): return {**self.uniform(rng), next(iter(self.uniform(rng))): "red"}

class Missing(Base):
    def made(self, rng): return {}

class Nothing(Base):
    def propose(self, study, trial, rng): return None

class Fails(Base):
    def made(self, rng): raise KeyError("two\\nlines")

class Abstract(SpaceSampler): pass

class Arguments(Sound):
    def __init__(self, space): super().__init__(space)

def function(space): return Sound(space)

LATE = SamplerInfo(name="x", code="outside_samplers:Sound", label="late", startup=9, color="#112233", marker="H")
"""


@pytest.fixture(autouse=True)
def module(outside: Path) -> None:
    (outside / "outside_samplers.py").write_text(TEXT)


@pytest.mark.parametrize("name", ["Abstract", "Arguments", "function", "np", "Sond"])
def test_what_is_no_sampler_is_refused_before_a_search(name: str) -> None:
    with pytest.raises(ValueError, match=f"sampler outside_samplers:{name}") as caught:
        samplers.check(f"outside_samplers:{name}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "named"),
    [("Outside", "band"), ("Unknown", "red"), ("Missing", "{}"), ("Nothing", "None"), ("Fails", "KeyError")],
)
def test_a_proposal_that_breaks_the_contract_ends_the_search_in_one_line(name: str, named: str) -> None:
    with pytest.raises(ValueError, match=f"sampler outside_samplers:{name}.*{named}") as caught:
        optimize(SPACE, lambda _: 1.0, sampler=f"outside_samplers:{name}", trials=3, macs=BAND)
    assert "\n" not in str(caught.value)


def test_a_row_says_how_many_trials_its_sampler_begins_with() -> None:
    samplers.check("outside_samplers:Sound", trials=1)
    with pytest.raises(ValueError, match="9 trials"):
        samplers.check("outside_samplers:LATE", trials=8)
    with pytest.raises(ValueError, match="2 objectives"):
        samplers.check("outside_samplers:LATE", objectives=2)
    assert samplers.SAMPLERS.row("outside_samplers:LATE").color == "#112233"
    study = optimize(SPACE, lambda _: 1.0, sampler="outside_samplers:LATE", trials=9, macs=BAND)
    assert set(study.frame()["proposed_by"]) == {"made"}

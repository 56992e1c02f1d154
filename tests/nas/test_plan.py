"""What the plan warns of."""

from __future__ import annotations

import pytest

from nas import plan
from nas.candidates import Field
from nas.config import SearchConfig
from studies.execution import Resources
from studies.recipe import Proxy


def asked(recipe: str, epochs: int = 2, images: int = 4000) -> SearchConfig:
    return SearchConfig(recipe=recipe, proxy=Proxy(epochs=epochs, images=images), finalist_epochs=4)


@pytest.mark.parametrize(
    ("config", "there", "steps"),
    [
        # 4000 images in batches of 256 are 16 steps, 1000 are 4.
        (asked("efficientnet"), 8000, "2 (32 steps)"),
        (asked("efficientnet", images=0), 1000, "2 (8 steps)"),
        (asked("efficientnet", epochs=1), 100, "1 (1 step)"),
        (asked("efficientnetv2_s", epochs=4), 8000, "4 (64 steps)"),
    ],
)
def test_a_recipe_of_hundreds_of_epochs_is_warned_of(config: SearchConfig, there: int, steps: str):
    text = plan.warning(config, there)
    assert text.startswith(f"warning: recipe {config.recipe} is made for 350 epochs; ")
    assert f"pressed into the proxies' {steps}" in text
    assert "--recipe quick" in text
    assert "\n" not in text


@pytest.mark.parametrize("config", [asked("quick", epochs=1), asked("standard"), asked("efficientnet", epochs=35)])
def test_others_are_not(config: SearchConfig):
    assert plan.warning(config, 8000) == ""


def test_the_plan_ends_with_the_warning(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plan, "_pace", lambda *_: plan._Pace(0.01, 1.0, 8000))
    config, usual = asked("efficientnet"), asked("quick")
    resources = Resources(2, 1, 0.0)
    assert plan.describe(config, Field.of(config, 10), resources).splitlines()[-1] == plan.warning(config, 8000)
    assert plan.describe(usual, Field.of(usual, 10), resources).splitlines()[-1].startswith("expected ")

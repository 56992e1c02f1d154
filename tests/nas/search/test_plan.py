"""What the plan warns of."""

from __future__ import annotations

import pytest

from nas.search import plan
from nas.search.candidates import SearchRegion
from nas.search.config import SearchConfig
from nas.search.step_times import timing
from studies.timing.step_clock import StepClock
from studies.trainer.recipe import Proxy
from studies.workers.resources import Resources


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
    assert plan.describe(config, SearchRegion.of(config, 10), resources).splitlines()[-1] == plan.warning(config, 8000)
    assert plan.describe(usual, SearchRegion.of(usual, 10), resources).splitlines()[-1].startswith("expected ")


def aware(step_times: str = "measured") -> SearchConfig:
    return SearchConfig(
        objective="training-aware", space="efficientnetv2", target_flops="30M", resolution=32, width=0.25,
        cost_band=(0.5, 2.0), step_times=step_times, step_batch=4, trials=5, finalists=1, finalist_seeds=1,
        finalist_epochs=4, recipe="quick", sampler="random", proxy=Proxy(epochs=2),
    )  # fmt: skip


def rows(config: SearchConfig, resources: Resources | None) -> dict[str, str]:
    """The plan's lines by their names."""
    lines = plan.describe(config, SearchRegion.of(config, 10), resources).splitlines()
    return {name.strip(): text.strip() for name, _, text in (line.partition("  ") for line in lines)}


def test_the_expected_time_has_step_times_in_it(monkeypatch: pytest.MonkeyPatch):
    # An epoch takes 10 s, a step 0.5 s: 7 steps of a network are 3.5 s.
    monkeypatch.setattr(plan, "_pace", lambda *_: plan._Pace(0.0, 10.0, 8000))
    monkeypatch.setattr(StepClock, "whole", lambda *_: 0.5)
    said = rows(aware(), Resources(2, 1, 0.0))
    assert said["S, P"].endswith("at batch 4, 32 px, timed before its proxy is trained, about 4s each")
    assert said["a candidate"].endswith("about 20s")
    # The baseline's, three rounds of trials, a finalist: 3.5 + 3 * 23.5 + 40 = 114.
    assert said["expected"].startswith("at most about 1m50s,")
    assert "at most about 4s each" in rows(aware("layers"), Resources(2, 1, 0.0))["S, P"]


def test_steps_are_not_timed_for_a_cluster(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plan, "_pace", lambda *_: plan._Pace(0.0, 10.0, 8000))
    monkeypatch.setattr(plan, "timing", lambda *_: pytest.fail("they may not fit here"))
    said = rows(aware(), None)
    assert said["S, P"].endswith("which is not in the times below")
    assert "expected" not in said
    assert said["objective"] == "accuracy * S^-0.07 * P^-0.05"


def test_step_times_are_timed_in_earnest():
    config = aware()
    region = SearchRegion.of(config, 10)
    assert timing(config, region, plan._typical(region)[:1], "cpu") > 0

"""The plan of a search: its warning, its expected time, what it measures."""

from __future__ import annotations

import dataclasses

import pytest

from nas.search import plan
from nas.search.candidates import SearchRegion
from nas.search.config import FinalistConfig, ObjectiveConfig, SearchConfig
from nas.search.step_times import baseline_of, timing
from studies.data.config import DataConfig
from studies.timing.step_clock import StepClock
from studies.trainer.recipe import Proxy
from studies.workers.resources import Resources
from tests.texts import values


def asked(recipe: str, epochs: int = 2, images: int = 4000) -> SearchConfig:
    return SearchConfig(recipe=recipe, proxy=Proxy(epochs=epochs, images=images), finalist=FinalistConfig(epochs=4))


@pytest.mark.parametrize(
    ("config", "there", "steps"),
    [
        # 4000 images in batches of 256 are 16 steps, 1000 are 4.
        (asked("efficientnet"), 8000, ["2", "32"]),
        (asked("efficientnet", images=0), 1000, ["2", "8"]),
        (asked("efficientnet", epochs=1), 100, ["1", "1"]),
        (asked("efficientnetv2_s", epochs=4), 8000, ["4", "64"]),
    ],
)
def test_a_recipe_of_hundreds_of_epochs_is_warned_of(config: SearchConfig, there: int, steps: list[str]):
    text = plan.warning(config, there)
    assert config.recipe in text
    assert values(text)[:3] == ["350", *steps]
    assert "\n" not in text


@pytest.mark.parametrize("config", [asked("quick", epochs=1), asked("standard"), asked("efficientnet", epochs=35)])
def test_others_are_not(config: SearchConfig):
    assert plan.warning(config, 8000) == ""


PACE = plan.Pace(image=0.01, evaluation=1.0, images=8000)


def test_the_plan_ends_with_the_warning():
    config, usual = asked("efficientnet"), asked("quick")
    resources, region = Resources(2, 1, 0.0), SearchRegion.of(asked("quick"), 10)
    lines = plan.describe(config, region, resources, PACE).splitlines()
    assert lines == [*plan.describe(usual, region, resources, PACE).splitlines(), plan.warning(config, 8000)]


def aware(step_times: str = "measured") -> SearchConfig:
    return SearchConfig(
        objective=ObjectiveConfig("training-aware", step_times=step_times, step_batch=4), space="efficientnetv2",
        target_flops="30M", resolution=32, width=0.25, cost_band=(0.5, 2.0), trials=5, finalist=FinalistConfig(1, 1, 4),
        recipe="quick", sampler="random", proxy=Proxy(epochs=2),
    )  # fmt: skip


def rows(config: SearchConfig, resources: Resources | None, pace: plan.Pace) -> dict[str, str]:
    """The plan's lines by their names."""
    lines = plan.describe(config, SearchRegion.of(config, 10), resources, pace).splitlines()
    return {name.strip(): text.strip() for name, _, text in (line.partition("  ") for line in lines)}


def test_the_expected_time_includes_step_times():
    # An epoch takes 10 s, a network's step time 3.5 s.
    pace = plan.Pace(image=0.0, evaluation=10.0, images=8000, step_time=3.5)
    lines = rows(aware(), Resources(2, 1, 0.0), pace)
    # Batch size, resolution, seconds.
    assert values(lines["S, P"])[-3:] == ["4", "32", "4"]
    assert values(lines["a candidate"])[-1] == "20"
    # The baseline's step time, three rounds of trials, a finalist: 3.5 + 3 * 23.5 + 40 = 114.
    assert "1m50s" in lines["expected"]
    assert values(rows(aware("layers"), Resources(2, 1, 0.0), pace)["S, P"])[-1] == "4"


def test_without_resources_no_total_is_given():
    lines = rows(aware(), None, plan.Pace(image=0.0, evaluation=10.0, images=8000))
    assert "expected" not in lines
    assert lines["objective"] == "accuracy * S^-0.07 * P^-0.05"


def test_a_step_time_is_that_of_all_its_steps(monkeypatch: pytest.MonkeyPatch):
    # 7 steps of 0.5 s.
    monkeypatch.setattr(StepClock, "whole", lambda *_: 0.5)
    region = SearchRegion.of(aware(), 10)
    assert timing(aware(), region, [baseline_of(region)] * 2, "cpu") == 3.5


@pytest.mark.parametrize(("resources", "step_time"), [(Resources(2, 1, 0.0), 3.5), (None, 0.0)])
def test_the_pace_is_measured_and_on_a_cluster_without_step_times(
    monkeypatch: pytest.MonkeyPatch, few_images: str, resources: Resources | None, step_time: float
):
    monkeypatch.setattr(StepClock, "whole", lambda *_: 0.5)
    proxy = Proxy(width=0.05, resolution=8, epochs=2)
    config = dataclasses.replace(aware(), data=DataConfig(few_images), proxy=proxy)
    pace = plan.measure_pace(config, SearchRegion.of(config, 10), resources)
    assert 0 < pace.images <= 160
    assert pace.step_time == step_time
    assert pace.image > 0
    assert pace.evaluation > 0


def test_a_step_is_timed():
    region = SearchRegion.of(aware(), 10)
    assert timing(aware(), region, [baseline_of(region)], "cpu") > 0

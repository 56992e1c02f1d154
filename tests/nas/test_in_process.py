"""The in-process search on spaces whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

import search_spaces as ss
from nas import optimize
from nas.samplers import registry as samplers

TABLE = ss.Space("table", {"a": tuple(range(6)), "b": ("x", "y"), "c": ((1, 2), (3, 4))}, dict)


def score(choice: dict[str, object]) -> float:
    return float(choice["a"]) + (choice["b"] == "y") + 0.1 * choice["c"][0]  # type: ignore[index, arg-type]


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("sampler", [*samplers.SAMPLERS, "outside_sampler:Mine"])
def test_an_exhausted_space_ends_the_search_at_its_best(sampler: str, monkeypatch: pytest.MonkeyPatch):
    if sampler != "random":
        monkeypatch.setattr("nas.in_process.MAX_REPEATS", 10)
    seen: list[dict[str, object]] = []

    def evaluate(choice: dict[str, object]) -> float:
        seen.append(choice)
        return score(choice)

    study = optimize(TABLE, evaluate, sampler=sampler, trials=500, seed=1)
    assert len(seen) == len({tuple(choice.values()) for choice in seen}) <= TABLE.size == 24
    if sampler == "random":
        assert len(seen) == 24
        assert study.best_choice == {"a": 5, "b": "y", "c": (3, 4)}
        assert study.best_value == pytest.approx(6.3)


def test_networks_are_never_evaluated_twice():
    space = ss.space("small", resolution=28)
    keys: list[str] = []

    def evaluate(arch: ss.Arch) -> float:
        keys.append(arch.key)
        return -float(arch.total_stride)

    study = optimize(space, evaluate, sampler="random", trials=40, seed=0, macs=(60_000_000, 61_000_000))
    assert len(set(keys)) == len(keys) == 40
    assert 60_000_000 <= ss.cost(study.best_arch).macs <= 61_000_000


def test_a_value_that_is_not_finite_is_an_outcome():
    study = optimize(TABLE, lambda c: math.nan if c["a"] == 5 else score(c), sampler="tpe", trials=24, seed=2)
    frame = study.frame()
    assert set(frame.loc[frame["a"] == 5, "outcome"]) <= {"nan"}
    assert study.best_choice["a"] < 5


def test_only_failures_leave_no_best():
    study = optimize(TABLE, lambda c: math.nan, sampler="random", trials=3, seed=0)
    with pytest.raises(ValueError, match="trial"):
        study.best_choice  # noqa: B018


def test_an_exception_of_the_caller_passes_through():
    def broken(choice: object) -> float:
        raise RuntimeError("a bug in the caller's code")

    with pytest.raises(RuntimeError, match="a bug"):
        optimize(TABLE, broken, sampler="random", trials=2)


def test_same_seed_same_study():
    frames = [optimize(TABLE, score, sampler="tpe", trials=15, seed=4).frame() for _ in range(2)]
    assert frames[0].equals(frames[1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampler": "tep"}, "'tep'"),
        ({"trials": 0}, "trials.* 0$"),
        ({"trials": 7}, "predictor.* 8 .* 7"),
        ({"factor": lambda encodings: np.zeros(len(encodings))}, "^factor .* 0: .*$"),
        ({"factor": lambda encodings: np.full(len(encodings), np.inf)}, "^factor .* inf: .*$"),
        ({"factor": lambda encodings: 1.0 - encodings[:, 0]}, "^factor .* (0|-[1-4]): "),
    ],
)
def test_mistakes_are_refused(settings: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        optimize(TABLE, score, **settings)  # type: ignore[arg-type]


def test_without_a_name_the_default_searches():
    named, unnamed = (optimize(TABLE, score, sampler=name, trials=10, seed=5).frame() for name in ("predictor", None))
    assert named.equals(unnamed)


def test_an_empty_band_is_refused():
    with pytest.raises(ValueError, match="multiply-adds"):
        optimize(ss.space("small"), lambda arch: 0.0, sampler="random", trials=1, macs=(1, 2))


def test_the_recommended_choice_is_no_lucky_measurement():
    """Noise makes one mediocre choice look best; its neighbours say otherwise."""
    lucky = {"a": 2, "b": "x", "c": (1, 2)}
    study = optimize(TABLE, lambda c: 6.4 if c == lucky else score(c), trials=24, seed=0)
    assert study.best_choice == lucky
    assert study.recommended_choice["a"] == 5


def test_the_known_part_of_the_value_leaves_the_values_alone():
    def factor(encodings: np.ndarray) -> np.ndarray:
        return 1 / (1 + encodings[:, 0])

    study = optimize(TABLE, lambda c: 1 / (1 + c["a"]), trials=16, seed=0, factor=factor)
    assert study.best_choice["a"] == 0
    assert study.best_value == 1.0

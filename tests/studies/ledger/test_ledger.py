"""The ledger alone: what it keeps, what it refuses."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from studies.ledger.frame import frame, write_csv
from studies.ledger.ledger import Ledger
from studies.ledger.seeds import trial_seed
from studies.ledger.trial import Proposal
from studies.outcome import Ending, Outcome

METRICS = {"macs": 10, "params": 20, "activations": 30}
CHOICES = {"kernel": (3, 5), "op": ("conv", "mbconv"), "se": (0.0, 0.25)}


def proposal(key: str = "k", **changes: Any) -> Proposal:
    fields = {"choice": {"kernel": 3, "op": "conv", "se": 0.25}, "arch": '{"x": 1}', "metrics": METRICS}
    return Proposal(**{**fields, "key": key, **changes})


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.db'}"


def open_at(folder: Path, **changes: Any) -> Ledger:
    return Ledger.open(url(folder), "search", CHOICES, **changes)


def test_everything_is_still_there_after_closing(tmp_path: Path) -> None:
    with open_at(tmp_path) as ledger:
        begun = ledger.begin(proposal(proposed_by="random", notes={"band": [1, 2]}))
        ledger.report(begun.number, {"step": 1, "accuracy": 0.5, "loss": 1.5, "images": 4000}, 0.45)
        ledger.report(begun.number, {"step": 2, "accuracy": 0.6, "loss": 1.2, "images": 8000}, 0.55)
        ledger.finish(begun.number, Ending(Outcome.COMPLETE, seconds=12.5, worker="host:1"), [0.55])
    with open_at(tmp_path, read_only=True) as ledger:
        (record,) = ledger.records()
    assert (record.outcome, record.values, record.accuracy) == (Outcome.COMPLETE, (0.55,), 0.6)
    assert (record.metrics, record.arch) == (METRICS, '{"x": 1}')
    assert (record.proposed_by, record.notes, record.seconds, record.worker) == (
        "random",
        {"band": [1, 2]},
        12.5,
        "host:1",
    )
    assert record.choice == {"kernel": 3, "op": "conv", "se": 0.25}
    assert record.rungs[0] == {"step": 1, "accuracy": 0.5, "loss": 1.5, "images": 4000}
    assert record.seed == trial_seed(0, "candidate", 0)


@pytest.mark.parametrize("is_file", [True, False], ids=["file", "memory"])
def test_metrics_keep_their_type_and_order(tmp_path: Path, is_file: bool) -> None:
    given = {"macs": np.int64(2**53 + 1), "step_time": np.float32(0.25), "activations": 30, "share": 1.0}
    with Ledger.open(url(tmp_path) if is_file else None, "search", CHOICES) as ledger:
        ledger.begin(proposal(metrics=given))
        (record,) = ledger.records()
    assert list(record.metrics.items()) == [("macs", 2**53 + 1), ("step_time", 0.25), ("activations", 30), ("share", 1)]
    assert [type(value) for value in record.metrics.values()] == [int, float, int, float]


def test_optuna_reads_it_as_it_is(tmp_path: Path) -> None:
    with open_at(tmp_path) as ledger:
        for value in (0.3, 0.7):
            number = ledger.begin(proposal()).number
            ledger.report(number, {"step": 1, "accuracy": value}, value)
            ledger.finish(number, Ending(Outcome.COMPLETE), [value])
    study = optuna.load_study(study_name="search", storage=url(tmp_path))
    assert study.best_value == 0.7
    assert study.best_params == {"kernel": 3, "op": "conv", "se": 0.25}
    assert study.trials[1].intermediate_values == {1: 0.7}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.PRUNED, TrialState.PRUNED),
        (Outcome.INFEASIBLE, TrialState.PRUNED),
        (Outcome.NAN, TrialState.PRUNED),
        (Outcome.OUT_OF_MEMORY, TrialState.PRUNED),
        (Outcome.ERROR, TrialState.FAIL),
    ],
)
def test_every_ending_is_named_and_told(outcome: Outcome, state: TrialState) -> None:
    with Ledger.open(None, "search", CHOICES) as ledger:
        number = ledger.begin(proposal()).number
        ledger.finish(number, Ending(outcome, "because"))
        (record,) = ledger.records()
    assert (record.outcome, record.reason, record.state, record.values) == (outcome, "because", state, None)


def test_a_pruned_trial_has_its_last_rung_as_value() -> None:
    with Ledger.open(None, "search", CHOICES) as ledger:
        number = ledger.begin(proposal()).number
        ledger.report(number, {"step": 1, "accuracy": 0.4}, 0.35)
        ledger.finish(number, Ending(Outcome.PRUNED))
        assert ledger.study.trials[0].value == 0.35


def test_several_objectives() -> None:
    with Ledger.open(None, "search", CHOICES, directions=("maximize", "minimize")) as ledger:
        number = ledger.begin(proposal()).number
        assert ledger.report(number, {"step": 1, "accuracy": 0.4}) is False
        ledger.finish(number, Ending(Outcome.COMPLETE), [0.4, 10.0])
        assert ledger.records()[0].values == (0.4, 10.0)
        assert list(frame(ledger)[["value_0", "value_1"]].iloc[0]) == [0.4, 10.0]


def test_a_step_reported_again_replaces_the_first() -> None:
    with Ledger.open(None, "search", CHOICES) as ledger:
        number = ledger.begin(proposal()).number
        for step, value in ((1, 0.1), (2, 0.2), (1, 0.15), (2, 0.25)):
            ledger.report(number, {"step": step, "accuracy": value}, value)
        assert [rung["accuracy"] for rung in ledger.records()[0].rungs] == [0.15, 0.25]
        assert ledger.study.trials[0].intermediate_values == {1: 0.15, 2: 0.25}


def test_a_value_outside_the_choices_is_refused() -> None:
    with Ledger.open(None, "search", CHOICES) as ledger:
        with pytest.raises(ValueError, match="7"):
            ledger.begin(proposal(choice={"kernel": 7, "op": "conv", "se": 0.0}))
        with pytest.raises(ValueError, match="stride"):
            ledger.begin(proposal(choice={"stride": 2}))
        assert ledger.records() == []


def test_other_settings_are_named(tmp_path: Path) -> None:
    settings = {"proxy": {"width": 0.25, "epochs": 2}, "space": "mnasnet"}
    open_at(tmp_path, settings=settings, seed=3).close()
    open_at(tmp_path, settings=settings, seed=3).close()
    changed = {"proxy": {"width": 0.5, "epochs": 2}, "space": "mnasnet"}
    with pytest.raises(ValueError, match=r"proxy\.width=0\.25, now 0\.5"):
        open_at(tmp_path, settings=changed, seed=3)
    with pytest.raises(ValueError, match="seed=3, now 4"):
        open_at(tmp_path, settings=settings, seed=4)
    with pytest.raises(ValueError, match="directions="):
        open_at(tmp_path, settings=settings, seed=3, directions=("minimize",))


def corrupt(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


def truncated(path: Path) -> None:
    open_at(path.parent).close()
    path.write_bytes(path.read_bytes()[:5000])


def damaged(path: Path) -> None:
    """One page of the middle lost: SQLite opens the file, and its check says what is wrong without raising."""
    open_at(path.parent).close()
    content = path.read_bytes()
    page = 4096 * (len(content) // 4096 // 2)
    path.write_bytes(content[:page] + b"\xff" * 4096 + content[page + 4096 :])


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("damage", [corrupt, truncated, damaged, foreign, folder])
def test_bad_files_are_one_line(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "ledger.db"
    damage(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ValueError, match=r"ledger\.db") as caught:
        open_at(tmp_path)
    assert "\n" not in str(caught.value)
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize("address", ["no url", "nosuchdb://x/y", "sqlite:////no/such/folder/x.db"])
def test_bad_addresses_are_one_line(address: str) -> None:
    with pytest.raises(ValueError, match="storage|ledger") as caught:
        Ledger.open(address, "search", CHOICES)
    assert "\n" not in str(caught.value)


def test_looking_at_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ledger"):
        open_at(tmp_path, read_only=True)
    assert not (tmp_path / "ledger.db").exists()
    open_at(tmp_path).close()
    with pytest.raises(ValueError, match="'other'"):
        Ledger.open(url(tmp_path), "other", CHOICES, read_only=True)


def test_repeats_take_the_recorded_result() -> None:
    with Ledger.open(None, "search", CHOICES) as ledger:
        number = ledger.begin(proposal("same")).number
        ledger.report(number, {"step": 1, "accuracy": 0.5}, 0.45)
        ledger.finish(number, Ending(Outcome.COMPLETE, seconds=9.0), [0.45])
        known = ledger.index.find(proposal("same").identity)
        assert known is not None
        repeat = ledger.repeat(proposal("same"), known)
        assert (repeat.repeat_of, repeat.values, repeat.accuracy, repeat.seconds) == (0, (0.45,), 0.5, 0.0)
        assert repeat.seed == known.seed
        assert ledger.index.find(proposal("other").identity) is None
        assert ledger.index.find(proposal("same", phase="finalist").identity) is None
        assert ledger.index.find(proposal("same", seed=1).identity) is None


def test_errors_are_not_repeated() -> None:
    with Ledger.open(None, "search", CHOICES) as ledger:
        for outcome in (Outcome.ERROR, Outcome.OUT_OF_MEMORY):
            ledger.finish(ledger.begin(proposal()).number, Ending(outcome))
        assert ledger.index.find(proposal().identity) is None
        ledger.finish(ledger.begin(proposal()).number, Ending(Outcome.NAN))
        known = ledger.index.find(proposal().identity)
        assert known is not None
        assert known.number == 2


def test_the_table(tmp_path: Path) -> None:
    import pandas as pd

    with Ledger.open(None, "search", CHOICES) as ledger:
        first = ledger.begin(proposal("a")).number
        for step in (1, 2):
            ledger.report(first, {"step": step, "accuracy": step / 10, "images": step * 4000}, step / 20)
        ledger.finish(first, Ending(Outcome.COMPLETE, seconds=3.0), [0.1])
        ledger.finish(ledger.begin(proposal("b")).number, Ending(Outcome.ERROR, "TypeError: x, y"))
        write_csv(ledger, tmp_path / "trials.csv")
    table = pd.read_csv(tmp_path / "trials.csv")
    assert list(table["outcome"]) == ["complete", "error"]
    assert table["reason"][1] == "TypeError: x, y"
    assert (table["accuracy_1"][0], table["accuracy_2"][0], table["value"][0], table["images"][0]) == (
        0.1,
        0.2,
        0.1,
        8000,
    )
    assert table["choice_op"][0] == "conv"
    assert [f"{table[name][0]!s}" for name in METRICS] == ["10", "20", "30"]
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_trials_of_other_tools_are_left_alone(tmp_path: Path) -> None:
    with open_at(tmp_path) as ledger:
        ledger.study.ask()
    with open_at(tmp_path) as ledger:
        (record,) = ledger.records()
        assert (record.phase, record.state, record.metrics) == ("foreign", TrialState.RUNNING, {})
        ledger.begin(proposal())
        table = frame(ledger)
    columns = list(table)
    assert columns[columns.index("step") + 1 : columns.index("key")] == list(METRICS)
    assert np.isnan(table["macs"][0])
    assert table["macs"][1] == 10


def test_a_study_of_another_program_is_refused(tmp_path: Path) -> None:
    study = optuna.create_study(storage=url(tmp_path), study_name="search")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(ValueError, match="study"):
        open_at(tmp_path)


def test_a_thousand_trials_do_not_slow_it_down() -> None:
    """The cost of a trial must not grow with the number of trials: no quadratic work in the ledger's own books."""
    import time

    with Ledger.open(None, "search", {"kernel": (3, 5)}) as ledger:
        times = []
        for _ in range(1000):
            start = time.perf_counter()
            number = ledger.begin(proposal(choice={"kernel": 3})).number
            ledger.finish(number, Ending(Outcome.COMPLETE), [0.5])
            times.append(time.perf_counter() - start)
    assert np.median(times[-100:]) < 5 * np.median(times[100:200]) + 0.002

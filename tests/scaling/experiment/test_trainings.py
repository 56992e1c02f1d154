"""What experiments share: order of trainings, the recipe at a multiple, what is read off the ledger's trials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from scaling.experiment.config import ExperimentConfig
from scaling.experiment.regularisation import for_multiple
from scaling.experiment.trainings import Experiment, ExperimentNetwork, accuracies, blocks, proposal, scores_on_test
from search_spaces.metrics.counts import cost
from search_spaces.metrics.memory import inference_memory, training_memory
from search_spaces.networks.arch import Arch, Stage
from studies.data.load import load
from studies.outcome import Outcome, Rung
from studies.runs.folder import RunFolder
from studies.trainer.recipe import Recipe
from studies.trainer.registry import get_recipe
from studies.workers.config import WorkersConfig
from studies.workers.pool import WorkerPool
from studies.workers.protocol import Job

ARCH = Arch(stages=(Stage("sepconv", 3, 2, 8, 1),), stem=8, head=16, resolution=8, classes=10)
WIDER = ARCH.replace(head=24)
EFFICIENTNET = get_recipe("efficientnet")


@pytest.mark.parametrize(("multiple", "dropout"), [(2**6.6, 0.5), (2**3.3, 0.35), (2.0, 0.2455), (10**6, 0.5)])
def test_dropout_grows_as_efficientnets(multiple: float, dropout: float) -> None:
    """EN, Section 5: linearly from 0.2 (B0) to 0.5 (B7, 2^6.6 times its FLOPs)."""
    assert for_multiple(EFFICIENTNET, multiple) == {"dropout": pytest.approx(dropout, abs=1e-4)}


@given(st.floats(1, 1000), st.floats(1, 1000))
def test_more_cost_never_has_less_dropout(one: float, other: float) -> None:
    low, high = (for_multiple(EFFICIENTNET, multiple).get("dropout", 0.2) for multiple in sorted((one, other)))
    assert 0.2 <= low <= high <= 0.5


def test_nothing_changes_at_or_below_the_baselines_cost_or_without_dropout() -> None:
    assert for_multiple(EFFICIENTNET, 1.0) == for_multiple(EFFICIENTNET, 0.5) == {}
    assert for_multiple(get_recipe("quick"), 8.0) == {}
    assert for_multiple(Recipe(dropout=0.7), 8.0) == {"dropout": 0.7}


def test_members_of_one_multiple_have_one_recipe_whatever_they_are() -> None:
    members = [ExperimentNetwork(arch, arch.key, 4.0) for arch in (ARCH, WIDER, ARCH.replace(resolution=16))]
    recipes = [proposal(member, 0, "grid", EFFICIENTNET).notes["recipe"] for member in members]
    assert recipes == [{"dropout": 0.2909}] * 3


def test_blocks_are_seed_by_seed() -> None:
    one, two = ExperimentNetwork(ARCH, "one", 1.0), ExperimentNetwork(WIDER, "two", 2.0)
    assert [(member.label, seed) for member, seed in blocks([one, two], [7, 8])] == [
        *(("one", 7), ("two", 7)),
        *(("one", 8), ("two", 8)),
    ]


def test_a_proposal_says_what_is_trained() -> None:
    asked = proposal(
        ExperimentNetwork(WIDER, "compound x2", 2.0, {"curves": ["compound"]}), 5, "curves", get_recipe("quick")
    )
    assert Arch.from_json(asked.arch) == WIDER
    spent, recipe = cost(WIDER), get_recipe("quick")
    assert asked.key == WIDER.key
    assert asked.metrics == {
        "macs": spent.macs,
        "params": spent.params,
        "activations": spent.activations,
        "inference_memory": inference_memory(WIDER, 1).total,
        "training_memory": training_memory(WIDER, recipe.batch_size, optimizer=recipe.optimizer, ema=True).total,
    }
    assert (asked.phase, asked.seed, asked.proposed_by) == ("curves", 5, "compound x2")
    assert asked.notes == {"curves": ["compound"], "multiple": 2.0, "recipe": {}}
    json.dumps(dict(asked.notes))


@pytest.fixture
def jobs() -> list[Job]:
    """The jobs that were trained."""
    return []


@pytest.fixture
def experiment(tmp_path: Path, jobs: list[Job]) -> Iterator[Experiment]:
    """In this process, with accuracies that tell the jobs apart; WIDER's seed 1 fails."""

    def work(job: Job) -> Iterator[Rung]:
        jobs.append(job)
        wide = Arch.from_json(job["arch"]).head == 24
        if wide and job["seed"] == 1:
            yield {"step": 1, "accuracy": float("nan"), "loss": 1.0}
            return
        rung: dict[str, Any] = {"step": 1, "accuracy": 0.5 + job["seed"] / 10 + wide / 100, "loss": 1.0}
        yield rung | ({"test_accuracy": 0.4} if job["training"]["test"] else {})

    config = ExperimentConfig(images=64, epochs=1, validation=100, workers=WorkersConfig(0))
    data = load(config.data.dataset, validation=100)
    with RunFolder.open(tmp_path / "run", {}) as run:
        yield Experiment(config, config.identity(), run, Console(quiet=True), data, WorkerPool(config.workers), work)


def test_an_experiment_trains_what_is_missing_and_nothing_twice(experiment: Experiment, jobs: list[Job]) -> None:
    members = [ExperimentNetwork(ARCH, "baseline", 1.0), ExperimentNetwork(WIDER, "wider", 2.0)]
    records = experiment.train("grid", blocks(members, [0, 1]))
    assert [(job["seed"], Arch.from_json(job["arch"])) for job in jobs] == [
        *((0, ARCH), (0, WIDER)),
        *((1, ARCH), (1, WIDER)),
    ]
    assert {record.outcome for record in records} == {Outcome.COMPLETE, Outcome.NAN}
    assert accuracies(records) == {
        ARCH.key: {0: pytest.approx(0.5), 1: pytest.approx(0.6)},
        WIDER.key: {0: pytest.approx(0.51)},
    }
    assert scores_on_test(records) == {}
    more = experiment.train("grid", blocks(members, [0, 1, 2]))
    assert [job["seed"] for job in jobs[4:]] == [2, 2]
    assert len(more) == 6
    # Fewer seeds: the ledger has more than is wanted.
    assert len(experiment.train("grid", blocks(members, [0]))) == 2
    assert len(jobs) == 6
    assert (experiment.run.path("grid-trials.csv")).exists()


def test_early_stopping_leaves_whole_trainings_to_compare(experiment: Experiment) -> None:
    def work(job: Job) -> Iterator[Rung]:
        worth = Arch.from_json(job["arch"]).head / 100
        yield {"step": 1, "accuracy": worth / 2, "loss": 1.0}
        yield {"step": 2, "accuracy": worth, "loss": 1.0}

    longer = replace(
        experiment, settings=ExperimentConfig(images=64, epochs=2, validation=100, workers=WorkersConfig(0)), work=work
    )
    heads = (60, 50, 40, 30, 20, 10)
    members = [ExperimentNetwork(ARCH.replace(head=head), str(head), 2.0) for head in heads]
    records = longer.train("grid", blocks(members, [0]), halving=2)
    assert {record.outcome for record in records} == {Outcome.COMPLETE, Outcome.PRUNED}
    found = accuracies(records)
    assert found[ARCH.replace(head=60).key] == {0: 0.6}
    assert ARCH.replace(head=10).key not in found


def test_phases_do_not_share_trainings(experiment: Experiment, jobs: list[Job]) -> None:
    wanted = blocks([ExperimentNetwork(ARCH, "one", 1.0)], [0])
    experiment.train("grid", wanted)
    records = experiment.train("choice", wanted, keep_weights=True, test=True)
    assert len(jobs) == 2
    assert [job["training"]["test"] for job in jobs] == [False, True]
    assert scores_on_test(records) == {ARCH.key: {0: 0.4}}


def test_nothing_trained_to_the_end_is_one_line(experiment: Experiment, jobs: list[Job]) -> None:
    with pytest.raises(ValueError, match=r"grid-trials\.csv"):
        experiment.train("grid", [(ExperimentNetwork(WIDER, "wider", 2.0), 1)])


def test_the_training_is_that_of_the_settings(experiment: Experiment) -> None:
    training = experiment.training
    assert (training.images, training.validation, training.split_seed) == (64, 100, 0)
    assert training.proxy is None
    assert training.recipe == get_recipe("quick").replace(epochs=1)
    assert Path(training.folder) == (experiment.run.folder / "weights").resolve()

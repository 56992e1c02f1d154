"""Ray Tune executes a source's jobs. Each worker is an actor that runs one trial after the other.

Ray Tune decides nothing here. Its searcher asks the source for the next job, its scheduler asks the source whether to
stop at a rung, and the source gets the ending of each job. Ray's own state can be lost at any moment.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from studies.workers.interrupts import Interrupts
from studies.workers.protocol import Evaluate, JobSource, Usage
from studies.workers.ray_cluster import Cluster
from studies.workers.ray_patches import release_memory
from studies.workers.tune_adapter import SourceError, TuneAdapter
from studies.workers.worker import JobRun, ending_to_dict, set_threads


def execute(
    source: JobSource, evaluate: Evaluate, cluster: Cluster, *, retries: int, time_budget: float | None
) -> Usage:
    """Run a source's jobs on the workers of a cluster: see `WorkerPool.run`, which alone calls it."""
    begun = time.perf_counter()
    with Interrupts() as interrupts:
        adapter = TuneAdapter(source, cluster.resources.workers, interrupts, time_budget)
        try:
            _fit(adapter, evaluate, cluster, retries)
        except SourceError as error:
            raise error.error from None
        finally:
            adapter.give_back()
    return adapter.usage(begun)


def _fit(adapter: TuneAdapter, evaluate: Evaluate, cluster: Cluster, retries: int) -> None:
    resources = cluster.resources
    trainable = tune.with_parameters(_Worker, evaluate=evaluate, threads=resources.cpus_per_trial)
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": resources.cpus_per_trial, "gpu": resources.gpus_per_trial}),
        tune_config=TuneConfig(
            search_alg=_LedgerSearcher(adapter),
            scheduler=_LedgerScheduler(adapter),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=RunConfig(
            name="trials",
            storage_path=str(Path(cluster.storage_path).resolve()),
            failure_config=FailureConfig(max_failures=retries),
            checkpoint_config=CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            callbacks=[_HeartbeatCallback(adapter)],
            verbose=0,
        ),
    )
    tuner.fit()


class _Worker(tune.Trainable):  # type: ignore[misc]  # ray has no types
    """The actor: one job after the other, one rung a step."""

    def setup(self, config: dict[str, Any], evaluate: Evaluate, threads: int) -> None:
        set_threads(threads)
        self._evaluate = evaluate
        self._threads = threads
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._run.close()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        rung, ending = self._run.advance()
        # As text: Tune flattens, merges and copies what has structure.
        result = {"rung": json.dumps(rung), "seconds": self._run.seconds}
        return result if ending is None else result | {"ending": json.dumps(ending_to_dict(ending)), "done": True}

    def cleanup(self) -> None:
        self._run.close()

    def _begin(self, config: dict[str, Any]) -> None:
        set_threads(self._threads)
        self._run = JobRun(self._evaluate, json.loads(config["job"]))
        # Tune would send it back with every result.
        self.config: dict[str, Any] = {}


class _LedgerSearcher(Searcher):  # type: ignore[misc]
    """Tune's searcher: asks the source."""

    def __init__(self, adapter: TuneAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        job = self._adapter.begin(trial_id)
        if job is not None:
            return {"job": json.dumps(job)}
        return str(Searcher.FINISHED) if self._adapter.finished else None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        self._adapter.end(trial_id, result, error)

    def save(self, checkpoint_path: str) -> None:
        """Does nothing: all state is in the ledger."""

    def restore(self, checkpoint_path: str) -> None:
        """Does nothing: all state is in the ledger."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _LedgerScheduler(FIFOScheduler):  # type: ignore[misc]
    """Tune's scheduler: asks the source."""

    def __init__(self, adapter: TuneAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        stop = self._adapter.rung(trial.trial_id, result)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self._adapter.failed(trial.trial_id, _failure(trial))

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _HeartbeatCallback(tune.Callback):  # type: ignore[misc]
    """Called at every step of Tune's loop, ten times a second at least."""

    def __init__(self, adapter: TuneAdapter) -> None:
        self._adapter = adapter

    def on_step_begin(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        self._adapter.check()

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._adapter.started()

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        release_memory(trial)

    on_trial_error = on_trial_complete

    def __getstate__(self) -> dict[str, Any]:
        return {}


def _trial_name(trial: Trial) -> str:
    return str(trial.trial_id)


def _failure(trial: Trial) -> str:
    """The last failure of a trial in one line; Tune keeps its text in a file."""
    path = trial.error_file
    text = Path(path).read_text() if path else ""
    lines = [line.strip() for line in text.rpartition("Failure #")[2].splitlines()[1:] if line.strip()]
    return (lines[0] if lines else "unknown reason")[:300]

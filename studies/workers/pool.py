"""The workers of a command: one batch of jobs after the other, on one Ray or in this process."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from studies.workers.config import WorkersConfig
from studies.workers.local import execute_in_process
from studies.workers.protocol import Evaluate, JobSource, Usage
from studies.workers.resources import describe_workers

if TYPE_CHECKING:
    from studies.workers.ray_cluster import Cluster


class WorkerPool:
    """The workers that the settings describe.

    With 0 workers this process runs the jobs and no Ray is imported. Otherwise the first batch starts Ray, or joins the
    cluster, and the next ones use it too, because a start takes seconds. Ray is stopped by `stop`, and at the end of
    the `with` block at the latest.

    Attributes:
        config: how many workers, on what
        size: how many there are, where that is known; it is only shown

    `storage_path` is a folder for Ray Tune's own files, shared by a cluster's machines; by default a temporary one.
    `code` names the user's own code that jobs may name, such as my_images:load; workers can import it.

    """

    def __init__(
        self,
        config: WorkersConfig,
        size: int | None = None,
        storage_path: str | None = None,
        code: Collection[str] = (),
    ) -> None:
        self.config = config
        self.size = size
        self._storage_path = storage_path
        self._code = tuple(code)
        self._ray = ExitStack()
        self._cluster: Cluster | None = None

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def run(self, source: JobSource, evaluate: Evaluate, *, time_budget: float | None = None) -> Usage:
        """Run a source's jobs until it is finished, or until `time_budget` seconds are over.

        Args:
            source: gives jobs out and takes results; called from this thread only
            evaluate: trains one job's candidate; pickled by reference if a worker process can import it
            time_budget: seconds after which no new job starts; running ones are finished

        Raises ValueError before anything starts if more is asked for than there is. On SIGINT or SIGTERM the running
        jobs are reported interrupted and KeyboardInterrupt is raised. An exception of the source comes out as it is.

        """
        if time_budget is not None and not time_budget > 0:
            raise ValueError(f"--time-budget must be more than 0 seconds, got {time_budget:g}")
        if self.config.number == 0:
            return execute_in_process(source, evaluate, workers=self.config, time_budget=time_budget)
        from studies.workers.ray_cluster import connect
        from studies.workers.ray_tune import execute

        begun = time.perf_counter()
        if self._cluster is None:
            self._cluster = self._ray.enter_context(connect(self.config, self._storage_path, self._code))
        connected = time.perf_counter() - begun
        usage = execute(source, evaluate, self._cluster, retries=self.config.retries, time_budget=time_budget)
        return replace(usage, startup=connected + usage.startup)

    def stop(self) -> None:
        """Stop Ray, or leave the cluster. The next batch would start it again."""
        self._cluster = None
        self._ray.close()

    def describe(self) -> str:
        """How many jobs run at a time, and where, for people; empty where that is not known."""
        return describe_workers(self.config, self.size)

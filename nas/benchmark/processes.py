"""Searches in processes side by side, which end with the command: after Ctrl-C, an error, or a SIGKILL of it.

The standard library's pool alone does not do that: it runs what has begun to its end, its processes print a traceback
at Ctrl-C, and they wait for ever once the command was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager

from nas.benchmark.plan import Benchmark
from nas.benchmark.simulate import SearchId, Trace

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# The benchmark of a worker process, which receives it once: its table may be large.
_benchmark: list[Benchmark] = []


def run_searches(benchmark: Benchmark, workers: int = 1, finished: Collection[SearchId] = ()) -> Generator[Trace]:
    """The searches that are not finished, as they end, `workers` at once; a single worker is this process.

    Closing the iterator, and any exception, Ctrl-C among them, ends the other processes at once.
    """
    searches = [search for search in benchmark.searches if search not in finished]
    if workers == 1:
        yield from (benchmark.search(*search) for search in searches)
        return
    context = multiprocessing.get_context("spawn")
    others = set(context.active_children())
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(benchmark,)) as pool:
        try:
            with _single_threaded(), _interrupts_blocked():
                submitted = [pool.submit(_search, *search) for search in searches]
            yield from (done.result() for done in as_completed(submitted))
        except BaseException:
            # The pool itself would wait for the searches that have begun.
            for process in set(context.active_children()) - others:
                process.terminate()
            raise


def _start(benchmark: Benchmark) -> None:
    """Prepare a worker process."""
    _benchmark[:] = [benchmark]
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """A worker whose parent was killed would wait for its next search for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _search(sampler: str, score: str, seed: int) -> Trace:
    return _benchmark[0].search(sampler, score, seed)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Processes started within ignore Ctrl-C, which a terminal sends to all; this process receives it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started within compute with one thread each."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

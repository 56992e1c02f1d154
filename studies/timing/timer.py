"""Timing work until the device has finished it, and a cache of measured times in files shared by all workers."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from search_spaces.common.files import write_once
from studies.machine import processor

Timer = Callable[[Callable[[], object], torch.device], float]


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Wall-clock seconds of some work, from the call until the device has finished it."""
    wait(device)
    began = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - began


def wait(device: torch.device) -> None:
    """Return when the device has finished all queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def thread_count(count: int) -> Iterator[None]:
    """Use this many torch threads within the context; restore the number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_name(device: torch.device) -> str:
    """The name of the processor or the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


@dataclass(frozen=True)
class TimeCache:
    """Medians of measured seconds, one file each, in a folder that every worker sees; an empty `folder` keeps nothing.

    If several workers measure the same thing at once, all of them use the value that was written first.
    """

    folder: str

    def seconds(self, name: str, facts: Mapping[str, Any], measure: Callable[[], Sequence[float]]) -> float:
        """The median seconds of the runs that `measure` returns, or the cached median.

        `facts` (plain JSON values) hold everything that the time depends on; `name` begins the file's name, for people.
        A file that cannot be read is measured again.
        """
        if not self.folder:
            return statistics.median(measure())
        text = json.dumps(facts, sort_keys=True)
        path = Path(self.folder) / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
        known = _read(path)
        if known is None:
            runs = list(measure())
            path.parent.mkdir(parents=True, exist_ok=True)
            content = {"seconds": statistics.median(runs), "runs": runs, **facts}
            if write_once(path, json.dumps(content, indent=1) + "\n"):
                return statistics.median(runs)
            known = _read(path)
            # Only this function writes there, and it writes whole files.
            assert known is not None
        return known


def _read(path: Path) -> float | None:
    try:
        return float(json.loads(path.read_text())["seconds"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink(missing_ok=True)
        return None

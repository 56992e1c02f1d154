"""Timing until the device is done, and measured times kept as files so that nothing is measured twice."""

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


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Wall-clock seconds of some work, from the call until the device is done."""
    wait(device)
    began = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - began


def wait(device: torch.device) -> None:
    """Return when the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def thread_count(count: int) -> Iterator[None]:
    """Within, torch uses so many threads; afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_name(device: torch.device) -> str:
    """The processor's or the GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


@dataclass(frozen=True)
class TimeCache:
    """Medians of measured seconds in a folder that every worker sees; with an empty `folder` nothing is kept.

    Of several workers that measure the same at once the first to write counts, for all of them.
    """

    folder: str

    def seconds(self, name: str, facts: Mapping[str, Any], measure: Callable[[], Sequence[float]]) -> float:
        """The median of some runs; `facts` (plain JSON values) are all that the time depends on, `name` is for people.

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
            # Nobody writes there but this function, whole files.
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

"""Timing on a device: the clock stops when the device is done; threads are set, and put back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from studies.manifest import processor


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

"""What this machine has (cores, GPUs, memory, processor) and which of its processes are alive."""

from __future__ import annotations

import os
import platform
import socket
from functools import cache
from pathlib import Path

import psutil

CLOCK_SECONDS = 5.0


def available_cores() -> int:
    """Cores this process may use: its CPU affinity and, in a container, the control group's quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cores, int(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores


def gpus_here() -> float:
    """GPUs PyTorch can use in this process. Loads torch only where a GPU driver is present."""
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/kfd").exists():
        return 0.0
    import torch

    return float(torch.cuda.device_count())


def memory_here() -> int:
    """Memory of this machine in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@cache
def host_name() -> str:
    """The machine's name, with its boot id where there is one."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}" if boot else socket.gethostname()


def process_start(pid: int) -> float:
    """When a process of this machine started, seconds since 1970; 0 if there is no such process."""
    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return 0.0


def process_is_alive(pid: int, started: float) -> bool:
    """Whether the process that started then still runs (zombies do not)."""
    # The system counts from boot; its idea of when that was moves a little when the clock is set.
    return abs(process_start(pid) - started) < CLOCK_SECONDS


def processor() -> str:
    """The name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())

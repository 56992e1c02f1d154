"""Who runs a trial: owners, their leases, and whether they are still alive."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

_log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
RENEW_SECONDS = 20.0
CLOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A driver process that runs trials.

    host     of the process: name and, where the system has one, the kernel's boot id, so that process numbers of two
             machines with the same name are never compared
    pid      process number
    started  when the process started, seconds since 1970: tells a process from a later one with the same number
    id       8 hexadecimal digits, one for each opening of a ledger
    """

    host: str
    pid: int
    started: float
    id: str

    @classmethod
    def here(cls) -> Owner:
        """A new owner: the process that runs here."""
        return cls(host_name(), os.getpid(), process_start(os.getpid()), uuid.uuid4().hex[:8])

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Owner:
        """Read back what `as_dict` gave."""
        return cls(fields["host"], fields["pid"], fields["started"], fields["id"])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def is_alive(self, lease_until: float | None, now: float | None = None) -> bool:
        """Whether this owner may still be running its trials.

        On its own host the process itself is asked; elsewhere its lease decides (`lease_until`, seconds since 1970,
        None if it gave the lease back).
        """
        if self.host == host_name():
            return process_is_alive(self.pid, self.started) and lease_until is not None
        return lease_until is not None and (time.time() if now is None else now) < lease_until


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


class Renewal:
    """A daemon thread that calls `renew` every `interval` seconds until stopped."""

    def __init__(self, renew: Callable[[], None], interval: float = RENEW_SECONDS) -> None:
        self._renew = renew
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._renew()
            except Exception:
                # The storage may be back the next time; if not, the trials themselves will say so.
                _log.warning("cannot renew the lease", exc_info=True)

"""The process that runs a trial (its owner), and its lease in the study, which it renews while it lives."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import optuna

from studies.ledger.trial import Record
from studies.machine import host_name, process_is_alive, process_start

_log = logging.getLogger(__name__)
LEASE_SECONDS = 120.0
RENEW_SECONDS = 20.0
_PREFIX = "driver:"


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


class Ownership:
    """Registers a driver in a study and renews its lease until released.

    One attribute of the study a driver ("driver:<id>") holds its lease, however many trials it runs.
    """

    def __init__(self, study: optuna.Study, owner: Owner) -> None:
        self.owner = owner
        self._study = study
        self._renew()
        self._renewal = Renewal(self._renew)

    def release(self) -> None:
        """Stop renewing and give the lease back. Calling it again does nothing."""
        self._renewal.stop()
        self._write(None)

    def leases(self) -> dict[str, dict[str, Any]]:
        """All drivers that ever opened the study, by id, with "until" (seconds since 1970, None: given back)."""
        attrs = self._study.user_attrs
        return {name.removeprefix(_PREFIX): value for name, value in attrs.items() if name.startswith(_PREFIX)}

    def is_abandoned(self, record: Record, leases: dict[str, dict[str, Any]]) -> bool:
        """Whether a trial's driver is neither this one nor alive. Trials that other tools run have no driver."""
        if not record.owner or record.owner["id"] == self.owner.id:
            return False
        owner = Owner.of(dict(record.owner))
        return not owner.is_alive(leases.get(owner.id, {}).get("until"))

    def seed_sequence(self) -> tuple[int, ...]:
        """Empty while this is the study's only living driver; else a number that only this driver has."""
        for name, lease in self.leases().items():
            if name != self.owner.id and Owner.of({**lease, "id": name}).is_alive(lease["until"]):
                return (int(self.owner.id, 16),)
        return ()

    def _renew(self) -> None:
        self._write(time.time() + LEASE_SECONDS)

    def _write(self, until: float | None) -> None:
        owner = self.owner
        lease = {"host": owner.host, "pid": owner.pid, "started": owner.started, "until": until}
        self._study.set_user_attr(_PREFIX + owner.id, lease)

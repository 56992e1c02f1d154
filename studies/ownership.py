"""A driver's claim on the trials it runs: its lease in the study, renewed while it lives."""

from __future__ import annotations

import time
from typing import Any

import optuna

from studies.lease import LEASE_SECONDS, Owner, Renewal
from studies.record import Record

_PREFIX = "driver:"


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

    def salt(self) -> tuple[int, ...]:
        """Empty while this is the study's only living driver; else a number of this driver's own."""
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

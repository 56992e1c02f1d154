"""The metrics of a trial as objectives read them."""

from __future__ import annotations

from nas.objectives.form import RELATIVE
from search_spaces.metrics.registry import METRICS
from studies.ledger.trial import Record
from studies.outcome import Rung


def metrics_at(record: Record, rung: Rung) -> dict[str, float]:
    """The metrics of a trial's full network, with what a worker has measured by a rung, in raw units by name."""
    measured = {name: value for name, value in rung.items() if name in METRICS or name.startswith(RELATIVE)}
    return {**record.metrics, **measured}

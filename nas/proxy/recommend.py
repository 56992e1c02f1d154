"""The rule: which proxy is recommended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nas.proxy.compare import ProxyRow


@dataclass(frozen=True)
class Recommendation:
    """What a proxy study recommends.

    chosen    the recommended proxy; None where none can be trusted
    best      the proxy with the highest tau; None where there is no tau
    trusted   names of the proxies that can be trusted
    equals    names of those that cannot be told from the best, the best among them
    """

    chosen: ProxyRow | None
    best: ProxyRow | None
    trusted: tuple[str, ...]
    equals: tuple[str, ...]


def recommend(rows: Sequence[ProxyRow]) -> Recommendation:
    """The cheapest trustworthy proxy.

    A proxy can be trusted where the 95 % interval of its tau lies above 0, and those of its lead over the tau of
    multiply-adds alone and of parameters alone do as well: it ranks, and it says more than what is known for nothing.
    Of the trusted ones the cheapest (median seconds a network) is chosen among those that cannot be told from the
    proxy with the highest tau: the 95 % interval of the best's lead holds 0. The intervals are paired over networks
    and not corrected for the number of proxies. Training-free measures are compared but not chosen: a search trains.
    """
    proxies = [row for row in rows if row.scored.kind == "proxy" and row.tau is not None]
    trusted = [row for row in proxies if is_trusted(row)]
    equals = [row for row in proxies if is_as_good(row)]
    both = [row for row in trusted if row in equals and row.scored.seconds is not None]
    return Recommendation(
        chosen=min(both, key=_price, default=None),
        best=max(proxies, key=lambda row: row.tau.value if row.tau else 0.0, default=None),
        trusted=tuple(row.scored.name for row in trusted),
        equals=tuple(row.scored.name for row in equals),
    )


def is_trusted(row: ProxyRow) -> bool:
    """Whether it ranks, and better than costs alone do."""
    return row.tau is not None and row.tau.low > 0 and all(gain.low > 0 for gain in row.gain.values())


def is_as_good(row: ProxyRow) -> bool:
    """Whether it cannot be told from the proxy with the highest tau."""
    return row.behind is not None and row.behind.low <= 0


def _price(row: ProxyRow) -> tuple[float, float]:
    """Seconds a network; of equally cheap ones the better."""
    assert row.scored.seconds is not None
    assert row.tau is not None
    return row.scored.seconds, -row.tau.value

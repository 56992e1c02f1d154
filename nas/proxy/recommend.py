"""The rule that recommends a proxy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nas.proxy.compare import ProxyRow


@dataclass(frozen=True)
class Recommendation:
    """The recommendation of a proxy study.

    chosen    the recommended proxy; None if no proxy is trusted and as good as the best
    best      the proxy with the highest tau; None without any tau
    trusted   names of the trusted proxies
    equals    names of the proxies that are not significantly worse than the best, the best among them
    """

    chosen: ProxyRow | None
    best: ProxyRow | None
    trusted: tuple[str, ...]
    equals: tuple[str, ...]


def recommend(rows: Sequence[ProxyRow]) -> Recommendation:
    """The cheapest trusted proxy that is not significantly worse than the best.

    A proxy is trusted if the 95 % intervals of its tau, and of its lead over the tau of multiply-adds alone and of
    parameters alone, lie above 0: it ranks networks better than their costs do. It is not significantly worse than the
    proxy with the highest tau if the 95 % interval of that proxy's lead contains 0. The cheapest has the lowest median
    seconds per network. The intervals are paired over networks and not corrected for the number of proxies. Zero-cost
    proxies are compared but not recommended, because a search trains.
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
    """Whether it ranks networks, and better than their costs do."""
    return row.tau is not None and row.tau.low > 0 and all(gain.low > 0 for gain in row.gain.values())


def is_as_good(row: ProxyRow) -> bool:
    """Whether it is not significantly worse than the proxy with the highest tau."""
    return row.behind is not None and row.behind.low <= 0


def _price(row: ProxyRow) -> tuple[float, float]:
    """The order of cheapness: seconds per network, then tau."""
    assert row.scored.seconds is not None
    assert row.tau is not None
    return row.scored.seconds, -row.tau.value

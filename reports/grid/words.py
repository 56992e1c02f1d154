"""Terms, headline and proxy baseline of the section on the grid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from reports.grid.data import NetworkData, show_coefficients
from reports.reading.runs import RunData
from scaling.grid.conclusions import GridConclusions
from search_spaces.common.text import pluralise
from search_spaces.networks.arch import Arch

TERMS: Mapping[str, str] = {
    "alpha, beta, gamma": "factors on depth, width and resolution for each doubling of FLOPs (EN, Equation 3): "
    "alpha * beta² * gamma² is about 2",
    "phi": "how often the FLOPs are doubled: d = alpha^phi, w = beta^phi, r = gamma^phi",
    "multiple comparisons with the best": "a test that leaves out the networks that are worse than some other one, "
    "with 95 % confidence that the true best is not among those (Hsu 1981)",
    "proxy baseline": "a smaller network that is scaled and trained in the baseline's place if that would outgrow the "
    "images",
}


def headline(run: RunData, conclusions: GridConclusions | None, found: Sequence[NetworkData]) -> str:
    """What was found, in a sentence or two."""
    seeds = sorted({one.seeds for one in found})
    count = pluralise(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    dataset = run.setting("data.dataset", "an unnamed data set")
    trained = f"{pluralise(len(found), 'network')} trained on {dataset} with {count} each"
    if conclusions is None:
        best = f"{show_coefficients(found[0].coefficients)} ({found[0].accuracy.percent})"
        return f"So far, {trained}; the best of them is {best}."
    return f"Best of {trained}: {conclusions.describe_coefficients()}.{_proxy_baseline(run)}"


def describe(conclusions: GridConclusions) -> list[str]:
    """How sure the result is, the fitted law, and the accuracy of the choice on test images."""
    return [
        f"{conclusions.describe_points()} {conclusions.describe_cost()}",
        conclusions.describe_equals(),
        *((conclusions.describe_rates(),) if conclusions.rates else ()),
        conclusions.describe_law(),
        f"{conclusions.describe_choice()} {conclusions.compare_with_paper()}",
    ]


def _proxy_baseline(run: RunData) -> str:
    """A sentence if a proxy baseline was trained; empty if it was the baseline itself."""
    trained, given = run.result.get("trained_baseline"), run.result.get("baseline")
    if not isinstance(trained, Mapping) or not isinstance(given, Mapping):
        return ""
    own, side = given.get("resolution"), trained.get("resolution")
    if own == side and _key_of(given, _classes(run)) == trained.get("key"):
        return ""
    return (
        f" A proxy baseline was scaled and trained, a smaller network at {side} px instead of {own} px: that its "
        "coefficients also fit the baseline is an assumption."
    )


def _classes(run: RunData) -> int | None:
    """Classes of the networks that were trained, as the chosen one has them."""
    arch = run.arch("choice.json")
    return arch.classes if arch else None


def _key_of(values: Mapping[str, object], classes: int | None) -> str:
    try:
        arch = Arch.from_json(json.dumps(values))
    except ValueError:
        return ""
    return arch.replace(classes=classes or arch.classes).key

"""Terms, headline and warnings of the section on scaling curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from reports.curves.data import Dot, baseline_of, largest
from reports.reading.runs import RunData
from scaling.curves.conclusions import CurvesConclusions, curve_name
from scaling.curves.config import BASELINE
from search_spaces.common.text import pluralise
from search_spaces.metrics.registry import METRICS
from search_spaces.networks.arch import Arch
from studies.statistics.comparisons import Contrast

TERMS: Mapping[str, str] = {
    "FLOPs": "multiply-adds of convolution and linear layers for one image, as the papers count them",
    "strategy": "the shares of depth, width and resolution in the growth of cost",
    "compound": "growing depth, width and resolution together in fixed proportions (EN, Section 3)",
    "95 % interval": "contains the true mean in 95 of 100 such experiments; wide for few seeds",
    "equivalent": "shown to differ by less than the margin of 0.5 points; not the same as no difference found",
    "undecided": "the interval contains zero, and the difference is not shown to be negligible: more seeds needed",
    "upsampled": "its input is larger than the images themselves, which adds no information",
    "activations": "elements of all convolutions' and linear layers' outputs for one image; memory and time follow it",
}


def headline(run: RunData, found: Sequence[Dot]) -> str:
    """What was trained, in a sentence or two."""
    config = run.config
    networks = len({dot.key for dot in found})
    seeds = sorted({len(dot.test) for dot in found})
    many = pluralise(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    start = baseline_of(found)
    base = f" The baseline has {_cost(start)} at {start.input_px:.0f} px." if start else ""
    return (
        f"{networks} networks were trained on {run.setting('data.dataset', 'an unnamed data set')}, with {many} each, "
        f"{config.get('epochs', '?')} × {config.get('images') or 'all'} images, recipe {config.get('recipe', '?')}, "
        f"and scored on test images.{base}{proxy_baseline(run.result)}"
    )


def proxy_baseline(result: Mapping[str, object]) -> str:
    """A sentence if a proxy baseline was trained; empty if it was the baseline itself."""
    given, trained = _arch(result.get("baseline")), _arch(result.get("trained_baseline"))
    if given is None or trained is None or given.replace(classes=trained.classes).key == trained.key:
        return ""
    return (
        f" A proxy baseline was scaled and trained, a smaller network at {trained.resolution} px: the baseline itself, "
        f"at {given.resolution} px, grows beyond the images."
    )


def warnings(conclusions: CurvesConclusions | None, found: Sequence[Dot]) -> list[str]:
    """What a reader must know before believing the figures."""
    seeds = max((len(dot.test) for dot in found), default=0)
    lines = conclusions.warnings(seeds) if conclusions and found else []
    if upsampled := {dot.key for dot in found if dot.upsampled}:
        count = pluralise(len(upsampled), "network")
        lines.append(f"{count} upsampled, drawn hollow: in no comparison and in no law")
    start = baseline_of(found)
    if start and (below := _below(start, found)):
        lines.append(f"at x{largest(found):g}, below the baseline: {', '.join(below)}; perhaps trained too short")
    return lines


def verdict_of_compound(contrast: Contrast) -> str:
    """A contrast in two or three words."""
    if contrast.verdict in ("better", "worse"):
        return f"compound {contrast.verdict}"
    return contrast.verdict


def _cost(dot: Dot) -> str:
    return METRICS["macs"].describe(dot.metrics["macs"])


def _below(start: Dot, found: Sequence[Dot]) -> list[str]:
    """Strategies whose network at the largest multiple lies below the baseline, intervals and all."""
    most = largest(found)
    top = [dot for dot in found if dot.curve != BASELINE and not dot.is_raw and dot.multiple == most]
    return [curve_name(dot.curve) for dot in top if dot.accuracy.high < start.accuracy.low]


def _arch(values: object) -> Arch | None:
    try:
        return Arch.from_json(json.dumps(values)) if isinstance(values, Mapping) else None
    except ValueError:
        return None

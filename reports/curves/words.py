"""What the section on scaling curves says in words, from what the run concluded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.curves.data import BASELINE, Dot, baseline_of, largest
from reports.page.style import name_of
from reports.page.values import contrast_of
from reports.reading.runs import RunData
from search_spaces.common.text import pluralise
from search_spaces.common.units import format_count
from search_spaces.networks.arch import Arch
from studies.statistics.comparisons import Contrast

TERMS: Mapping[str, str] = {
    "FLOPs": "multiply-adds of convolution and linear layers for one image, as the papers count them",
    "strategy": "which dimensions a network is grown in as it may cost more: depth, width, resolution, or several",
    "compound": "growing depth, width and resolution together in fixed proportions (EN, Section 3)",
    "95 % interval": "where the true mean lies in 95 of 100 such experiments; of few seeds it is wide",
    "equivalent": "shown to differ by less than the margin of 0.5 points; not the same as no difference found",
    "undecided": "the interval holds zero, and the difference is not shown to be negligible either: more seeds needed",
    "upsampled": "its input is larger than the images themselves, so it sees nothing more",
    "activations": "elements of all convolutions' and linear layers' outputs for one image; memory and time follow it",
}


def headline(run: RunData, found: Sequence[Dot]) -> str:
    """What was trained, in a sentence or two."""
    config = run.config
    networks = len({dot.key for dot in found})
    seeds = sorted({len(dot.test) for dot in found})
    many = pluralise(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    start = baseline_of(found)
    base = f" The baseline has {format_count(round(start.macs), 4)} FLOPs at {start.input_px:.0f} px." if start else ""
    return (
        f"{networks} networks were trained on {config.get('dataset', 'an unnamed data set')}, with {many} each, "
        f"{config.get('epochs', '?')} × {config.get('images') or 'all'} images, recipe {config.get('recipe', '?')}, "
        f"and scored on test images.{base}{proxy_baseline(run.result)}"
    )


def proxy_baseline(result: Mapping[str, object]) -> str:
    """A sentence where a smaller form of the baseline was trained; empty where the baseline itself was."""
    given, trained = _arch(result.get("baseline")), _arch(result.get("trained_baseline"))
    if given is None or trained is None or given.replace(classes=trained.classes).key == trained.key:
        return ""
    return (
        f" What was scaled and trained is a proxy baseline, a smaller form of the baseline at {trained.resolution} px: "
        f"the baseline itself, at {given.resolution} px, grows beyond the images."
    )


def verdict(run: RunData) -> list[str]:
    """The main contrast, compound against the best single dimension, and the coefficients found against the paper's."""
    ours, rival = str(run.result.get("compound", "compound")), str(run.result.get("best_single"))
    main, paper = contrast_of(run.result.get("main")), contrast_of(run.result.get("found_against_paper"))
    multiple = run.result.get("multiple", 1)
    lines = []
    if main is not None:
        lines.append(
            f"At ×{multiple:g} the baseline's FLOPs, paired by seed and closed to the same cost: "
            f"{main.sentence(name_of(ours), rival)} ({rival} is the best single dimension)."
        )
    if paper is not None:
        lines.append(f"{_capital(paper.sentence(name_of('compound-found'), name_of('compound')))}.")
    return lines


def warnings(run: RunData, found: Sequence[Dot]) -> list[str]:
    """What a reader must know before believing the figures."""
    lines = []
    main = contrast_of(run.result.get("main"))
    if found and max(len(dot.test) for dot in found) < 2:
        lines.append("one seed a network gives no intervals: `--seeds 3` or more would")
    elif main is not None and main.warning:
        lines.append(main.warning)
    if hollow := {dot.key for dot in found if dot.upsampled}:
        count = pluralise(len(hollow), "network")
        lines.append(f"{count} upsampled, drawn hollow: in no comparison and in no law")
    start = baseline_of(found)
    if start and (below := _below(start, found)):
        lines.append(f"at ×{largest(found):g}, below the baseline: {', '.join(below)}; trained too short, perhaps")
    return lines


def judged(contrast: Contrast) -> str:
    """A contrast in two or three words."""
    if contrast.verdict in ("better", "worse"):
        return f"compound {contrast.verdict}"
    return contrast.verdict


def _below(start: Dot, found: Sequence[Dot]) -> list[str]:
    """Strategies whose network at the largest multiple lies below the baseline, intervals and all."""
    most = largest(found)
    top = [dot for dot in found if dot.curve != BASELINE and not dot.is_raw and dot.multiple == most]
    return [name_of(dot.curve) for dot in top if dot.accuracy.high < start.accuracy.low]


def _arch(values: object) -> Arch | None:
    import json

    try:
        return Arch.from_json(json.dumps(values)) if isinstance(values, Mapping) else None
    except ValueError:
        return None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

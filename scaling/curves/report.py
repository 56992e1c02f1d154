"""What the command prints: the plan before the trainings, the result after them."""

from __future__ import annotations

from pathlib import Path

from scaling.curves.analysis import CurvesAnalysis
from scaling.curves.conclusions import CurvesConclusions, curve_name, describe_expectation
from scaling.curves.files import POINTS, SUMMARY
from scaling.curves.plan import CurvePoint, CurvesPlan
from scaling.curves.run import CurvesResult, TrainedPoint, wanted
from scaling.experiment.rates import ChosenRates
from search_spaces.common.text import align_columns, align_facts, pluralise
from search_spaces.metrics.counts import CONVENTION
from search_spaces.metrics.registry import METRICS
from studies.runs.folder import LEDGER

MACS, PARAMS = METRICS["macs"], METRICS["params"]


def describe_plan(plan: CurvesPlan) -> str:
    """What is going to be trained."""
    config = plan.config
    different, trainings = len({point.arch.key for point in plan.points}), len(wanted(plan)) * len(config.factors)
    facts = {
        "baseline": plan.baseline.describe(),
        "networks": f"{len(plan.points)} points on curves, {different} different networks"
        + (f"; {plan.left_out} of the paper's settings cost more than --most {config.most:g}" * bool(plan.left_out)),
        "trainings": f"{trainings}: {pluralise(config.seeds, 'seed')} each, {config.main_seeds} at "
        f"x{plan.largest:g}; {config.epochs} x {config.images or 'all'} images of "
        f"{config.data.dataset}, recipe {config.recipe}{config.describe_factors()}",
    }
    if plan.resources:
        facts["workers"] = f"{plan.resources.describe()}, {plan.resources.gpus_per_trial:g} GPU each"
    sizes = ("nominal d", "w", "r", "realised d", "w", "r", "px")
    header = ("curve", "multiple", *sizes, MACS.label, "cost", "misses", "")
    return f"{align_facts(facts)}\n\n{align_columns(header, [_planned(point) for point in plan.points])}"


def report(result: CurvesResult, analysis: CurvesAnalysis, folder: Path) -> str:
    """The result as text; `folder` is the run's."""
    config, conclusions = result.plan.config, CurvesConclusions.of(analysis, result.plan.largest)
    headline = (
        f"Scaling curves on {config.data.dataset}: {config.epochs} x {config.images or 'all'} images, recipe "
        f"{config.recipe}\n{result.plan.baseline.describe()}"
    )
    warnings = [f"warning: {line}" for line in (*conclusions.warnings(config.seeds), *_warnings(result))]
    parts = (
        headline,
        _table(result, analysis),
        "\n".join([*conclusions.describe_main(), *_against_all(conclusions)]),
        "\n".join(conclusions.describe_rates()),
        "\n".join([*conclusions.describe_prediction(), *_expectation(result, analysis)]),
        "\n".join(warnings),
        _files(folder, result.rates is not None),
    )
    return "\n\n".join(filter(None, parts))


def _planned(point: CurvePoint) -> tuple[str, ...]:
    asked = point.growth.nominal
    return (
        point.curve,
        f"x{point.multiple:.3g}",
        *(f"{value:.3g}" for value in (asked.depth, asked.width, asked.resolution)),
        *_realised(point),
        f"{point.macs / point.target - 1:+.1%}" if point.target else "",
        "upsampled" if point.upsampled else "",
    )


def _realised(point: CurvePoint) -> tuple[str, ...]:
    got = point.growth.realised
    return (
        *(f"{value:.3g}" for value in (got.depth, got.width, got.resolution)),
        str(point.arch.resolution),
        MACS.format(point.macs, 4),
        f"{point.growth.macs_ratio:.3g}",
    )


def _table(result: CurvesResult, analysis: CurvesAnalysis) -> str:
    costs = (MACS.label, "cost", PARAMS.label)
    rate = ("lr",) if result.rates else ()
    header = ("curve", "multiple", "d", "w", "r", "px", *costs, *rate, "accuracy", "seeds", "latency", "")
    rows = [_line(point, mean.percent, result.rates) for point, mean in zip(result.points, analysis.means, strict=True)]
    return (
        f"{align_columns(header, rows)}\n"
        "accuracy: of test images, mean over seeds with its 95 % interval (variance pooled over all networks); "
        f"d, w, r and cost: realised, relative to the baseline. {CONVENTION}\n"
        f"latency: of one image on one thread, median of {pluralise(result.plan.config.runs, 'run')}."
    )


def _line(point: TrainedPoint, accuracy: str, rates: ChosenRates | None) -> tuple[str, ...]:
    return (
        point.planned.curve,
        f"x{point.planned.multiple:.3g}",
        *_realised(point.planned),
        PARAMS.format(point.cost.params, 4),
        *((f"{rates.rate(point.planned.arch.key):g}",) if rates else ()),
        accuracy,
        str(len(point.test)),
        f"{1000 * point.latency.median:.2f}ms",
        "upsampled" if point.planned.upsampled else "",
    )


def _against_all(conclusions: CurvesConclusions) -> list[str]:
    if not conclusions.against_all:
        return []
    ours = curve_name(conclusions.compound)
    lines = [f"  {contrast.sentence(ours, curve_name(name))}" for name, contrast in conclusions.against_all.items()]
    return ["Against every other curve (simultaneous intervals, on the seeds that all curves have):", *lines]


def _expectation(result: CurvesResult, analysis: CurvesAnalysis) -> list[str]:
    """What the law expects of a network twice as large as any that was trained."""
    baseline = result.plan.baseline
    if analysis.law is None:
        return []
    max_resolution = baseline.pixels / baseline.trained.resolution
    return describe_expectation(analysis.law, 2 * max(1.0, result.plan.largest), max_resolution)


def _warnings(result: CurvesResult) -> list[str]:
    """Warnings that only the command can give, because it knows the plan."""
    lines = []
    if any(point.planned.upsampled for point in result.points):
        lines.append(
            f"upsampled networks see more pixels than the images' own {result.plan.baseline.pixels}: they are in no "
            "comparison and in no law"
        )
    untrained = len(result.plan.points) - len(result.points)
    if untrained:
        lines.append(f"{pluralise(untrained, 'point')} without a complete training: see curves-trials.csv")
    return lines


def _files(folder: Path, with_rates: bool) -> str:
    trials = f"{folder / 'curves-trials.csv'}"
    if with_rates:
        trials = f"{folder / '*-trials.csv'}, a file for each learning rate"
    return align_facts({
        "points": f"{folder / POINTS}, a line per network and seed",
        "conclusions": f"{folder / SUMMARY}",
        "weights": f"{folder / ('weights*' if with_rates else 'weights')}: the first seed's, as safetensors",
        "all trials": trials,
        "ledger": f"{folder / LEDGER}",
        "report": f"python -m reports.build {folder}  (writes one HTML page with all results)",
    })  # fmt: skip
